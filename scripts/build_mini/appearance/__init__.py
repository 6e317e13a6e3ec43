"""Appearance captions: what pixels show, said in one sentence with WordNet's words for the thing.

`analyse` (or `analyse_batch`) reads colours, light, pattern and surroundings from pixels,
`nouns_for` gives the words for a class, `describe` makes a sentence of both; `colour_is_right`
checks any caption against the pixels, apart from how the caption was made.
"""

from __future__ import annotations

from .describe import describe
from .pixels import Appearance, analyse, analyse_batch, full_masks
from .salience import Colour
from .wordnet import Nouns, nouns_for
from .words import colour_is_right, colour_words, colours_are_there, first_colour_is_large

__all__ = [
    "Appearance",
    "Colour",
    "Nouns",
    "analyse",
    "analyse_batch",
    "colour_is_right",
    "colour_words",
    "colours_are_there",
    "describe",
    "first_colour_is_large",
    "full_masks",
    "nouns_for",
]
