"""The words of captions that say something of a picture."""

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

# English words that say nothing of a picture. Colours, numbers, places ("on top", "next to") and
# "background" are left in: they are what captions differ by.
_STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been being both but by
    can could did do does doing don't down during each few for from had has have having he her here
    hers herself him himself his how i if in into is isn't it it's its itself just like may me more
    most my myself no nor not now of off on once only or other our ours out over own piece pieces
    same she so some such than that that's the their theirs them themselves then there these they
    this those through to too up very was we were what when where which while who whom why will with
    would you
    your yours yourself
    """.split()
)

_COLOURS = frozenset(
    "black white grey gray brown tan beige red pink orange yellow golden gold green blue purple "
    "reddish yellowish greenish bluish dark light bright pale".split()
)


def says_colours(text: str) -> bool:
    """Tell whether all words of a text name colours or how light something is."""
    return _COLOURS.issuperset(text.lower().split())


def content_words(text: str) -> list[str | None]:
    """Return a caption's words in their order, lower-cased.

    None stands where a stop word or a single letter was: words that enclose it are no neighbours.
    """
    words = _WORD.findall(text.lower())
    return [word if len(word) > 1 and word not in _STOP_WORDS else None for word in words]


def without_name(text: str, name: str) -> str:
    """Return a caption without the words of a class's name, whether singular or plural."""
    named = {_singular(word) for word in _WORD.findall(name.lower())}
    kept = _WORD.sub(lambda match: "" if _singular(match[0].lower()) in named else match[0], text)
    return " ".join(kept.split())


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word
