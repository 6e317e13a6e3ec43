"""Captions that speak of the rendering: of a background, of blur, of the picture as a picture."""

import re
from functools import cache
from pathlib import Path

_LIST = Path(__file__).parent / "data" / "artefacts.txt"


@cache
def artefact_phrases() -> tuple[str, ...]:
    """Return the phrases of `mapcap/data/artefacts.txt`, as they stand there."""
    lines = (line.strip() for line in _LIST.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def is_artefact(text: str) -> bool:
    """Return whether a caption holds one of the phrases, as whole words, in any case."""
    return _pattern().search(text) is not None


@cache
def _pattern() -> re.Pattern[str]:
    # Between the words of a phrase any white space; a star at the end: any ending of the word.
    forms = (
        r"\s+".join(map(re.escape, phrase.removesuffix("*").split()))
        + (r"\w*" if phrase.endswith("*") else "")
        for phrase in artefact_phrases()
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)
