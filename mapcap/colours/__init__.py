"""Which colours a picture's pixels have, by their everyday names, and which a text says.

`naming` sorts pixels into named colours and the eleven families of these; `words` reads the colours
that a text names and holds them against the families' shares of a region. Neither knows how a text
was made.
"""

from mapcap.colours.naming import (
    FAMILIES,
    RegionColours,
    Shares,
    family_shares,
    region_colours,
)
from mapcap.colours.words import (
    colour_is_right,
    colour_words,
    colours_are_there,
    first_colour_is_large,
    of_the_thing_itself,
    surroundings_are_there,
)

__all__ = [
    "FAMILIES",
    "RegionColours",
    "Shares",
    "colour_is_right",
    "colour_words",
    "colours_are_there",
    "family_shares",
    "first_colour_is_large",
    "of_the_thing_itself",
    "region_colours",
    "surroundings_are_there",
]
