"""Appearance captions: what pixels show, said in one sentence with WordNet's words for the thing.

`analyse` (or `analyse_batch`) reads colours, light, pattern and surroundings from pixels,
`nouns_for` gives the words for a class, `describe` makes a sentence of both; `colour_is_right`
checks any caption against the pixels, apart from how the caption was made.
"""

from __future__ import annotations

from .colours import colour_is_right, colour_words
from .describe import describe
from .pixels import Appearance, Colour, analyse, analyse_batch, full_masks
from .wordnet import Nouns, nouns_for

__all__ = [
    "Appearance",
    "Colour",
    "Nouns",
    "analyse",
    "analyse_batch",
    "colour_is_right",
    "colour_words",
    "describe",
    "full_masks",
    "nouns_for",
]
