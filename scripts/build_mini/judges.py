"""What is held against a caption of a training picture, by what is known of the picture."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mapcap.colours import (
    colours_are_there,
    first_colour_is_large,
    of_the_thing_itself,
    region_colours,
    surroundings_are_there,
)
from mapcap.texts.humans import names_human
from scripts.build_mini.appearance import Nouns
from scripts.build_mini.grounds import Ground
from scripts.build_mini.masks import Mask
from scripts.build_mini.scoring import stammers
from scripts.build_mini.stamps import Stamp

Judge = Callable[[str], float]
"""What is taken off a caption's reward."""

WRONG_COLOUR, NO_COLOUR, WRONG_HUMAN, WRONG_NOUN, STAMMER = 0.06, 0.04, 0.1, 0.06, 0.06
"""Cosines that are taken off; what is punished by one of them is never learnt."""
UNNAMED = 0.03
"""Of a thing that is called by none of its class's nouns, which may be right: its region may show
something else; and of a stamp that is called by its name, too."""


def named(nouns: Nouns) -> set[str]:
    """Return the nouns that a thing may be called: of "fire salamander" the last word."""
    names = (nouns.name, *nouns.synonyms, *nouns.coarse)
    return {words[-1] for name in names if (words := re.findall(r"[a-z]+", name.lower()))}


def held_against(judge: Judge, text: str) -> float:
    """Return what a picture's judge takes off, and for a word that comes again at once, of any."""
    return judge(text) + STAMMER * stammers(text)


def human_judge(shown: bool | None) -> Judge:
    """Punish a caption that leaves out the human whom all sentences name, or invents one."""
    return lambda text: 0.0 if shown is None else WRONG_HUMAN * (names_human(text) != shown)


def colour_judge(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Judge:
    """Punish a first colour that is none of the region's two largest, or one that is not there.

    Of the object in the region, of its surroundings in the picture. None at all is punished a
    little.
    """
    seen = region_colours(pixels, mask)

    def judge(text: str) -> float:
        large = first_colour_is_large(text, seen.region)
        if large is None:
            return NO_COLOUR
        there = colours_are_there(text, seen.region) and (
            surroundings_are_there(text, seen.picture) is not False
        )
        return WRONG_COLOUR * (not (large and there))

    return judge


def thing_judge(
    nouns: Nouns, pixels: NDArray[np.uint8], mask: NDArray[np.bool_], human: bool | None
) -> Judge:
    """Punish a wrong colour, a human left out or invented, and a little none of the nouns."""
    colours, names, humans = colour_judge(pixels, mask), named(nouns), human_judge(human)
    return lambda text: UNNAMED * names.isdisjoint(_words(text)) + colours(text) + humans(text)


def stamp_judge(stamp: Stamp, pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Judge:
    """Punish a caption that does not call the stamp what it is to be called, or a wrong colour.

    Of all these tries the stamps' are nearest to nonsense, and what each shows is known. A name
    beside that is punished a little: see `Stamp.called`.
    """
    colours, called = colour_judge(pixels, mask), named(stamp.called)
    names = named(stamp.nouns) - called

    def judge(text: str) -> float:
        words = _words(text)
        noun = WRONG_NOUN if called.isdisjoint(words) else UNNAMED * (not names.isdisjoint(words))
        return noun + colours(text)

    return judge


def ground_judge(behind: Ground, part: Mask) -> Judge:
    """Punish a caption of what lies beside a thing that calls it something else.

    "A piece of clothing on green grass" names the grass, too.
    """
    return lambda text: 0.0 if behind.tells(of_the_thing_itself(text), part) else WRONG_NOUN


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
