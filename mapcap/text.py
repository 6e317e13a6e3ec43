"""Text from outside, made harmless for a terminal; and counts with their nouns."""

import unicodedata

# Cc: control characters (ESC sequences start with one). Cf: invisible format characters, among
# them the bidirectional overrides that can reorder a whole line. Cs: lone surrogates, which
# cannot be encoded. Zl/Zp: line and paragraph separators, which some terminals break at.
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Zero-width joiner: emoji families and several scripts need it, and it moves nothing.
_KEPT = {"\u200d"}


def clean(text: str) -> str:
    """Replace what could steer a terminal by U+FFFD, and tabs and newlines by a space."""
    if text.isprintable():
        # Nothing of the above is: this is most texts, and some are drawn at each key.
        return text
    return "".join(
        " "
        if char in "\t\n\r"
        else char
        if char in _KEPT or unicodedata.category(char) not in _HARMFUL
        else "\ufffd"
        for char in text
    )


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: "1 class", "1,234 classes"; `plural` where it is not regular.

    A noun that ends in s takes "es", every other one "s".
    """
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {plural or noun + ('es' if noun.endswith('s') else 's')}"
