"""Appearance captions: what pixels show, said in one sentence with WordNet's words for the thing.

`analyse` (or `analyse_batch`) reads colours, light, pattern and surroundings from pixels,
`nouns_for` gives the words for a class, `describe` makes a sentence of both. The names of colours
are the package's (`mapcap.colours`).
"""

from __future__ import annotations

from .describe import describe
from .pixels import Appearance, analyse, analyse_batch, full_masks
from .salience import Colour
from .wordnet import Nouns, nouns_for

__all__ = [
    "Appearance",
    "Colour",
    "Nouns",
    "analyse",
    "analyse_batch",
    "describe",
    "full_masks",
    "nouns_for",
]
