"""Captions that describe the image rather than its content: a background, blur, a rendering."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_LIST = Path(__file__).parents[1] / "data" / "artefacts.txt"
_WORLD = "!"


@cache
def artefact_phrases() -> tuple[str, ...]:
    """Return the phrases of `mapcap/data/artefacts.txt`, as they stand there."""
    return tuple(line for line in _lines() if not line.startswith(_WORLD))


@cache
def world_phrases() -> tuple[str, ...]:
    """Return the wordings, such as "taking a photo", that hold a phrase and are no artefact."""
    return tuple(line.removeprefix(_WORLD).strip() for line in _lines() if line.startswith(_WORLD))


def is_artefact(text: str) -> bool:
    """Return whether a caption holds one of the phrases outside the wordings of the world.

    Phrases are whole words, in any case, with any white space or hyphens between them.
    """
    return any(match["artefact"] is not None for match in _pattern().finditer(text.lower()))


def _lines() -> list[str]:
    lines = (line.strip() for line in _LIST.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _pattern() -> re.Pattern[str]:
    # The wordings of the world come first: what they have taken is not searched again.
    world, artefact = _any_of(world_phrases()), _any_of(artefact_phrases())
    # Lower case is matched, a third of the time that re.IGNORECASE takes.
    return re.compile(rf"(?<!\w)(?:{world}|(?P<artefact>{artefact}))(?!\w)")


def _any_of(phrases: Iterable[str]) -> str:
    forms = (
        r"[\s-]+".join(re.escape(word).replace(r"\*", r"\w*") for word in phrase.split())
        for phrase in phrases
    )
    return f"(?:{'|'.join(forms)})"
