"""From an `Appearance` and the nouns of its class to one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from . import phrases
from .pixels import Appearance
from .salience import Colour
from .wordnet import Nouns, number

_EXACT = 0.26  # share of captions that say the class's own name
_MODIFIERS = re.compile(r"^(?:bright|dark|deep|pale|light) (?=\w+$)")
_ARTICLE = re.compile(r"\b(?:a|A) (?=(?P<next>\w+))")
_MOST_WORDS = 16
_LEAST_WORDS = 4
_COVERED = 0.25  # share of captions that say what the colour lies on
_APART = 0.3  # share that say the second colour behind the noun


class Rng(Protocol):
    """`random.Random` and `numpy.random.Generator` both are one."""

    def random(self) -> float:
        """Draw from [0, 1)."""
        ...


def describe(appearance: Appearance, nouns: Nouns, rng: Rng) -> str:
    """Write one caption: lower case, 4 to 16 words, the object's colour early, "." at the end.

    The class's own name stands in about a quarter of the captions, a coarser noun in the others.
    """
    for _ in range(20):
        caption = _sentence(appearance, nouns, rng)
        if _LEAST_WORDS <= caption.count(" ") + 1 <= _MOST_WORDS:
            break
    return caption


def _pick(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.random() * len(options))]


def _mostly_first(options: Sequence[str], rng: Rng) -> str:
    """Choose the first in two of three cases, else one of the others."""
    if len(options) == 1 or rng.random() < 2 / 3:
        return options[0]
    return _pick(options[1:], rng)


def _weighted(options: Sequence[tuple[float, str]], rng: Rng) -> str:
    at = rng.random() * sum(weight for weight, _ in options)
    for weight, option in options:
        at -= weight
        if at < 0:
            return option
    return options[-1][1]


def _sentence(appearance: Appearance, nouns: Nouns, rng: Rng) -> str:
    """Join a head with the colours and up to two tails."""
    names = [_shade(colour, rng) for colour in _two(appearance)]
    noun = _noun(nouns, names, rng)
    head = _head(appearance, noun, nouns.kind, names, rng)
    tails = _tails(appearance, rng)
    return _articles(" ".join([head, *tails])) + "."


def _two(appearance: Appearance) -> list[Colour]:
    """Choose two colours of different basic terms, the region's largest first if it is of them.

    A vivid colour on a small part is the second one: a black salamander with yellow spots is black
    and yellow, whatever lies between.
    """
    told = list(_families(appearance.colours, ()))[:2]
    vivid = _families(appearance.accents, told[:1])
    if vivid:
        told = [told[0], vivid[0]]
    largest = appearance.largest
    if largest and all(colour.family not in largest for colour in told):
        return [Colour(largest[0], largest[0], 0.0), told[0]]
    return sorted(told, key=lambda colour: [*largest, colour.family].index(colour.family))


def _families(colours: Sequence[Colour], before: Sequence[Colour]) -> tuple[Colour, ...]:
    """Keep the colours of other basic terms than those before: "grey and dark grey" says little."""
    kept: list[Colour] = []
    for colour in colours:
        if all(colour.family != other.family for other in (*before, *kept)):
            kept.append(colour)
    return tuple(kept)


def _shade(colour: Colour, rng: Rng) -> str:
    """Say a colour by its everyday name, now and then without "dark", "bright" and the like."""
    name = phrases.PLAINER.get(colour.name, colour.name)
    return _MODIFIERS.sub("", name) if rng.random() < 0.3 else name


def _noun(nouns: Nouns, colours: Sequence[str], rng: Rng) -> str:
    """Choose the noun; a name that begins with the colour itself would stutter."""
    said = {word for colour in colours for word in colour.split()}
    if not nouns.coarse or rng.random() < _EXACT:
        exact = (
            nouns.name if not nouns.synonyms or rng.random() < 0.8 else _pick(nouns.synonyms, rng)
        )
        if exact.split()[0] not in said or not nouns.coarse:
            return exact
    weights = [(0.75**i, noun) for i, noun in enumerate(nouns.coarse)]
    return _weighted(weights, rng)


def _together(names: Sequence[str]) -> str:
    """Join colour names: "black", "black and white", "dark and reddish brown"."""
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    if len(names) == 2:
        (*first, base), (*second, other) = names[0].split(), names[1].split()
        if base == other and {*first, *second} <= phrases.SHADES and first and second:
            return f"{' '.join(first)} and {' '.join(second)} {base}"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _head(appearance: Appearance, noun: str, kind: str, names: list[str], rng: Rng) -> str:
    """Write the object and its colours."""
    colours = _together(names)
    template = _template(noun, kind, names, rng)
    covers = phrases.COVERS[kind]
    part = _pick(covers, rng) if covers else ""
    slots = dict.fromkeys(("size", "shape", "pattern", "pattern_and"), "")
    told = False
    for slot, words in (("size", phrases.SIZE_WORDS), ("shape", phrases.SHAPE_WORDS)):
        value = getattr(appearance, slot)
        if "{" + slot + "}" in template and value in words and rng.random() < 0.4 and not told:
            slots[slot] = _pick(words[value], rng)
            told = True
    if appearance.pattern in phrases.PATTERNS and rng.random() < 0.85:
        word = _mostly_first(phrases.PATTERNS[appearance.pattern], rng)
        slots["pattern"], slots["pattern_and"] = f"{word} ", f"{word} and "
    singular = number(noun) == "count"
    return template.format(
        a="a",
        an=f"a {noun}" if singular else noun,
        n=noun,
        c=colours,
        c1=names[0],
        c2=names[-1],
        detail=_pick(phrases.DETAILS.get(kind, phrases.OTHER_DETAILS), rng),
        part=part,
        cover_c=_cover(part, colours),
        **slots,
    )


def _cover(part: str, colours: str) -> str:
    """Say "black fur", "black wings", but "a black coat"."""
    uncounted = part in phrases.MASS_COVERS or part in phrases.PLURAL_COVERS
    return f"{colours} {part}" if uncounted else f"a {colours} {part}"


def _template(noun: str, kind: str, names: list[str], rng: Rng) -> str:
    """Choose the head's phrase by what there is to say."""
    if number(noun) == "plural":
        return _weighted(phrases.PLURAL_HEADS, rng)
    if number(noun) == "mass":
        return _weighted(phrases.MASS_HEADS, rng)
    if len(names) > 1 and rng.random() < _APART:
        return _weighted(phrases.PAIR_HEADS, rng)
    if phrases.COVERS[kind] and rng.random() < _COVERED:
        return _weighted(phrases.CLOTH_HEADS if kind == "cloth" else phrases.COVER_HEADS, rng)
    return _weighted(phrases.HEADS, rng)


def _tails(appearance: Appearance, rng: Rng) -> list[str]:
    """Write where the thing lies, or else in what light, if either can be seen."""
    surroundings = _surroundings(appearance, rng)
    if surroundings:
        return [surroundings]
    lit = appearance.setting != "dark" and appearance.light in phrases.LIGHTS
    if lit and rng.random() < 0.5:
        return [_mostly_first(phrases.LIGHTS[appearance.light], rng)]
    return []


def _surroundings(appearance: Appearance, rng: Rng) -> str:
    """Write the surroundings; dark ones only now and then, and never by their colour."""
    setting = appearance.setting
    if setting not in phrases.SETTINGS or rng.random() > (0.25 if setting == "dark" else 0.88):
        return ""
    named = [c for c in _families(appearance.surroundings, ()) if c.family != "black"]
    if setting in ("leaves", "grass"):
        named = [c for c in named if c.family == "green"]
    if setting not in ("dark", "white") and not named:
        return ""
    shades = _shade(named[0], rng) if named else ""
    return _mostly_first(phrases.SETTINGS[setting], rng).format(s=shades, a="a")


def _articles(text: str) -> str:
    """Put "an" for "a" before a vowel's sound."""
    return _ARTICLE.sub(lambda found: "an " if _vowel(found["next"]) else "a ", text)


def _vowel(word: str) -> bool:
    return word[0] in "aeiou" and not word.startswith(("uni", "one", "eu", "use"))
