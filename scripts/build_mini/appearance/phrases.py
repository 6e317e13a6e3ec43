"""The phrases of the caption grammar: plain tables, to be read and mended by eye.

In a phrase {c} is a colour phrase, {n} the noun, {an} the noun with its article, {a} the article
that fits the next word (put there last), {part} what the colour lies on.
"""

from __future__ import annotations

# kind of thing -> what its colour lies on; "" where nothing natural can be said.
COVERS: dict[str, tuple[str, ...]] = {
    "fur": ("fur", "hair", "coat"),
    "feathers": ("feathers", "plumage"),
    "scales": ("scales", "skin"),
    "skin": ("skin",),
    "shell": ("shell",),
    "fish": ("scales", "fins"),
    "wings": ("wings",),
    "body": ("body",),
    "paint": ("paint", "paintwork", "body"),
    "walls": ("walls", "stone"),
    "cloth": ("cloth", "fabric"),
    "wood": (),
    "surface": ("surface",),
    "fruit": ("skin",),
    "food": (),
    "place": (),
    "structure": (),
    "land": (),
    "object": (),
}
MASS_COVERS = frozenset(
    {"fur", "hair", "plumage", "skin", "paint", "paintwork", "stone", "cloth", "fabric"}
)
PLURAL_COVERS = frozenset({"feathers", "scales", "fins", "wings", "walls"})

# kind -> what a second colour makes on the first.
DETAILS: dict[str, tuple[str, ...]] = {
    "fur": ("markings", "patches", "parts"),
    "feathers": ("markings", "feathers", "patches"),
    "scales": ("markings", "patches"),
    "skin": ("markings", "patches"),
    "shell": ("markings", "parts"),
    "fish": ("markings", "parts"),
    "wings": ("markings", "edges"),
    "body": ("markings", "parts"),
    "paint": ("parts", "details", "panels"),
    "cloth": ("parts", "details", "trim"),
    "walls": ("parts", "shades"),
    "food": ("bits", "pieces", "patches"),
    "fruit": ("patches", "shades"),
    "place": ("details", "things"),
    "land": ("patches", "parts"),
}
OTHER_DETAILS = ("parts", "details", "areas")

# Two of these before one colour are said together: "dark and reddish brown".
SHADES = frozenset("bright dark deep pale light bluish greenish greyish reddish yellowish".split())

# A colour's everyday name, where the palette's is a painter's.
PLAINER: dict[str, str] = {
    "beige": "tan",
    "bluish grey": "grey",
    "brick red": "red",
    "burnt orange": "orange",
    "cream": "white",
    "deep blue": "blue",
    "deep pink": "pink",
    "dusty pink": "pink",
    "greenish grey": "grey",
    "greyish blue": "blue",
    "greyish brown": "brown",
    "greyish green": "green",
    "lavender": "light purple",
    "magenta": "pink",
    "maroon": "dark red",
    "mauve": "purple",
    "mustard yellow": "yellow",
    "navy blue": "dark blue",
    "olive": "dark green",
    "pale blue": "light blue",
    "pale green": "light green",
    "pale orange": "light orange",
    "pale pink": "light pink",
    "pale yellow": "light yellow",
    "peach": "light orange",
    "plum": "dark purple",
    "rust": "reddish brown",
    "salmon pink": "pink",
    "sandy brown": "light brown",
    "sea green": "green",
    "silver grey": "light grey",
    "sky blue": "light blue",
    "teal": "blue green",
    "yellowish brown": "light brown",
}

# Sentence heads. Weight, phrase.
HEADS: tuple[tuple[float, str], ...] = (
    (12, "{a} {size}{shape}{pattern}{c} {n}"),
    (2, "{a} {pattern}{c} {n}"),
    (1, "{an} that is {pattern_and}{c}"),
    (0.5, "the {n} is {pattern_and}{c}"),
)
COVER_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{an} with {pattern}{cover_c}"),
    (1, "the {pattern}{c} {part} of {an}"),
)
CLOTH_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{a} {pattern}{n} in {c}"),
    (2, "{a} {n} of {pattern}{c} {part}"),
)
PAIR_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{a} {size}{shape}{c1} {n} with {c2} {detail}"),
    (1, "{a} {c1} {n} marked with {c2}"),
)
PLURAL_HEADS: tuple[tuple[float, str], ...] = (
    (4, "a pair of {size}{pattern}{c} {n}"),
    (3, "{size}{pattern}{c} {n}"),
    (1, "{n} that are {c}"),
    (1, "{n} coloured {c}"),
    (1, "some {c} {n}"),
)
MASS_HEADS: tuple[tuple[float, str], ...] = (
    (4, "{pattern}{c} {n}"),
    (2, "some {pattern}{c} {n}"),
    (1, "{n} that is {c}"),
    (1, "{n} coloured {c}"),
)
# Where the thing lies, where the pixels tell; {s} is the colour phrase of the surroundings. The
# first of each list is said most often: with all alike, a greedy decoder finds the full stop
# likelier than any of them. Of other surroundings nothing is said.
SETTINGS: dict[str, tuple[str, ...]] = {
    "leaves": ("among {s} leaves", "in {s} foliage", "in front of {s} plants"),
    "grass": ("on {s} grass", "in {s} grass", "on {a} {s} field"),
    "sky": ("under {a} {s} sky", "against {a} clear {s} sky"),
    "water": ("in {s} water", "near {s} water"),
    "sand": ("on {s} ground", "on sandy {s} ground"),
    "white": ("on white", "against plain white", "on a white surface"),
    "dark": ("in the dark", "in shadow"),
}
LIGHTS: dict[str, tuple[str, ...]] = {
    "dark": ("in very little light", "hardly lit"),
    "dim": ("in dim light",),
}
PATTERNS: dict[str, tuple[str, ...]] = {
    "striped": ("striped",),
    "speckled": ("spotted", "speckled", "patterned"),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small ", "little ", "tiny "),
    "large": ("large ", "big "),
}
SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "tall": ("tall ", "upright "),
    "wide": ("long ", "wide "),
}
