"""Colour words in a text, and whether they are true of a region.

A region is known by its `Shares`: what `naming.family_shares` counts among its pixels.
"""

from __future__ import annotations

import re

from mapcap.colours.naming import FAMILIES, Shares

# What a colour word may rightly be said of, where that is more than the family of its prototype.
_ALSO = {
    "golden": ("yellow", "brown"),
    "gold": ("yellow", "brown"),
    "mustard": ("yellow", "brown"),
    "rust": ("orange", "red", "brown"),
    "rusty": ("orange", "red", "brown"),
    "peach": ("orange", "pink"),
    "salmon": ("pink", "orange"),
    "cream": ("white", "yellow", "brown"),
    "creamy": ("white", "yellow", "brown"),
    "ivory": ("white", "yellow"),
    "beige": ("brown",),
    "tan": ("brown",),
    "sandy": ("brown",),
    "khaki": ("brown", "green"),
    "olive": ("green", "brown"),
    "maroon": ("red", "brown", "purple"),
    "turquoise": ("blue", "green"),
    "teal": ("blue", "green"),
    "navy": ("blue",),
    "silver": ("grey", "white"),
    "silvery": ("grey", "white"),
    "charcoal": ("grey", "black"),
    "gray": ("grey",),
    "violet": ("purple",),
    "lavender": ("purple",),
    "mauve": ("purple", "pink"),
    "plum": ("purple", "red"),
    "magenta": ("pink", "purple"),
    "crimson": ("red",),
    "scarlet": ("red",),
    "chestnut": ("brown",),
}
_FAMILIES_OF: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in FAMILIES},
    **_ALSO,
}

# Names of things that hold a colour word which says nothing about this picture.
_NAMES = re.compile(
    r"\b(?:black (?:widow|stork|maria)|golden retriever|brown bear|red panda"
    r"|(?:an|the|one|this|single) orange"
    r"(?= (?:is|in|on|by|near|against|with|fills|seen|that)\b|\.))"
)
_COMPOUND = re.compile(
    r"\b(?:golden|mustard|sandy|salmon|navy|silver|brick|rust|rusty|olive|sea|sky)[ -]"
    r"(?=(?:brown|yellow|pink|blue|grey|red|orange|green)\b)"
)
_SURROUNDINGS = re.compile(
    r"\b(?:with(?= (?:(?!with)[a-z, ])*all around)|against|on|in|before|amid|among|amidst|under"
    r"|beneath|over|above|below|beside|near|surrounded|surrounds|surrounding|behind|around|at|by|set|while|where|beyond|across"
    r"|everything|all about)\b"
)
_BESIDE = re.compile(
    rf"{_SURROUNDINGS.pattern}|\b(?:with|wearing|wears|holding|carrying|has|having)\b"
)
_BODY = re.compile(r"^\s*(?:in|on|with) (?:shades|tones|colour|color|its|their)\b")


def _families(text: str) -> list[tuple[str, ...]]:
    """Give for each colour word of a text the families it may rightly be said of."""
    plain = _COMPOUND.sub("", _NAMES.sub(" ", text.lower()))
    words = re.findall(r"[a-z]+", plain)
    return [_FAMILIES_OF[word] for word in words if word in _FAMILIES_OF]


def colour_words(text: str) -> set[str]:
    """Give the families a text speaks of: "a golden and dark grey cat" gives yellow and grey.

    A word between families counts for the first of them; names such as "black widow" do not count.
    """
    return {families[0] for families in _families(text)}


def of_the_object(text: str) -> str:
    """Give the part of a caption that speaks of the object, before its surroundings."""
    text = text.lower()
    for found in _SURROUNDINGS.finditer(text):
        if _families(text[: found.start()]) and not _BODY.match(text[found.start() :]):
            return text[: found.start()]
    return text


def of_the_thing_itself(text: str) -> str:
    """Give the part of a caption before what its object has, wears, does or lies in."""
    text = text.lower()
    found = _BESIDE.search(text)
    return text[: found.start()] if found else text


def first_colour_is_large(text: str, shares: Shares) -> bool | None:
    """Say whether the first colour a caption names is one of the region's two largest.

    None without a colour word.
    """
    said = _families(text)
    if not said:
        return None
    largest = sorted(shares, key=lambda family: -shares[family])[:2]
    return any(family in largest and shares[family] > 0 for family in said[0])


def _each(said: list[tuple[str, ...]], shares: Shares) -> list[float]:
    """Return what share of the pixels each colour word may stand for."""
    return [sum(shares[family] for family in families) for families in said]


def colours_are_there(text: str, shares: Shares, least: float = 0.03) -> bool | None:
    """Say whether the region has each colour that a caption names of the object.

    A colour is there if its families cover at least the share `least`: little, since a vivid spot
    on a small part may be named. None without a colour word.
    """
    found = _each(_families(of_the_object(text)), shares)
    return all(share >= least for share in found) if found else None


def surroundings_are_there(text: str, shares: Shares, least: float = 0.03) -> bool | None:
    """Say whether the picture has each colour that a caption names of what is about the object.

    `shares` is of the whole picture, not of the region alone. None without such a word.
    """
    found = _each(_families(text[len(of_the_object(text)) :]), shares)
    return all(share >= least for share in found) if found else None


def colour_is_right(text: str, shares: Shares, least: float = 0.15) -> bool | None:
    """Say whether a caption's colour of the object is one of the region's colours.

    True when a colour word said of the object belongs to families that cover at least the share
    `least` of the region; None without a colour word.
    """
    found = _each(_families(of_the_object(text)), shares)
    return any(share >= least for share in found) if found else None
