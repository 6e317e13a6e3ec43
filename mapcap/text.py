"""Text from outside, made harmless for a terminal."""

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
