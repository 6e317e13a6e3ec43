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

# Sentence heads. Weight, phrase.
HEADS: tuple[tuple[float, str], ...] = (
    (9, "{a} {size}{shape}{pattern}{c} {n}"),
    (3, "{a} {pattern}{c} {n}"),
    (1.5, "{an} that is {c}"),
    (1.2, "{an} coloured {c}"),
    (1, "{an}, {c} in colour,"),
    (1, "one {size}{pattern}{c} {n}"),
    (1, "this {size}{n} is {pattern_and}{c}"),
    (1, "the {n} is {pattern_and}{c}"),
    (1, "there is {a} {size}{shape}{c} {n}"),
)
COVER_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{an} with {cover_c}"),
    (2, "the {pattern}{c} {part} of {an}"),
    (1, "{an} whose {part} {part_is} {c}"),
    (1, "{a} {size}{shape}{n} with {cover_c}"),
)
CLOTH_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{a} {pattern}{n} in {c}"),
    (2, "{a} {n} of {pattern}{c} {part}"),
)
PAIR_HEADS: tuple[tuple[float, str], ...] = (
    (3, "{a} {size}{shape}{c1} {n} with {c2} {detail}"),
    (2, "{a} {c1} {n} marked with {c2}"),
    (1.5, "{a} mostly {c1} {n} with some {c2}"),
    (1, "{an} that is {c1} with {c2} {detail}"),
    (1, "{a} {c1} {n}, partly {c2},"),
)
ACCENT_HEADS: tuple[tuple[float, str], ...] = (
    (2, "{a} {size}{c} {n} with {accent} {detail}"),
    (2, "{a} {c} {n} with a touch of {accent}"),
    (1, "{a} {c} {n} touched with {accent}"),
    (1, "{a} {c} {n} with hints of {accent}"),
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
# Surroundings by setting: {s} is the colour phrase of the surroundings. The first of each list is
# said most often: with all alike, a greedy decoder finds the full stop likelier than any of them.
SETTINGS: dict[str, tuple[str, ...]] = {
    "": ("with {s} all around", "on {s}", "in front of {s}", "surrounded by {s}"),
    "plain": ("against plain {s}", "on plain {s}", "on {a} smooth {s} surface"),
    "blurred": ("against soft {s}", "among smooth {s} tones"),
    "busy": ("among {s} clutter", "amid many {s} things", "in {a} busy {s} scene"),
    "leaves": ("among {s} leaves", "in {s} foliage", "in front of {s} plants"),
    "grass": ("on {s} grass", "in {s} grass", "on {a} {s} field"),
    "sky": ("under {a} {s} sky", "against {a} clear {s} sky"),
    "water": ("in {s} water", "near {s} water"),
    "sand": ("on {s} ground", "on sandy {s} ground"),
    "white": ("on white", "against plain white", "on a white surface"),
    "dark": ("in shadow", "in the dark", "in dim light", "in the shade"),
}

LIGHTS: dict[str, tuple[str, ...]] = {
    "dark": ("in very little light", "in the dark", "hardly lit"),
    "dim": ("in dim light", "in low light"),
    "bright": ("in bright light", "in clear daylight"),
    "contrast": ("in strong light and shadow", "in hard light"),
    "soft": ("in soft light", "in hazy light"),
}
PATTERNS: dict[str, tuple[str, ...]] = {
    "striped": ("striped",),
    "speckled": ("speckled", "patterned", "mottled"),
    "plain": ("plain", "smooth"),
}
PLACES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "at the left side"),
    "right": ("on the right", "at the right side"),
    "top": ("at the top", "high up"),
    "bottom": ("at the bottom", "low down"),
}
# A size is told as one of the world's, not of a picture: captions must not speak of pictures.
SIZES: dict[str, tuple[str, ...]] = {
    "small": ("in the distance", "far away"),
}
SHAPES: dict[str, tuple[str, ...]] = {
    "tall": ("standing upright", "standing tall"),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small ", "little ", "tiny "),
    "large": ("large ", "big "),
}
SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "tall": ("tall ", "upright "),
    "wide": ("long ", "wide "),
}
