"""Findings of kind `odd`: images of a class that resemble none of the run's classes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.cost import NOTHING, beyond
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind
from mapcap.audit.material import Material
from mapcap.audit.suspects import odd_images

NAME: Final = "odd"
_FEWEST = 2
"""Odd images of a class, below which they are listed as a note."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the images that resemble no class, as one finding."""
    material = inputs.material
    images, reference = material.images, material.reference
    if not inputs.neighbours.size:
        return []
    near = np.stack([reference.embeddings[row].mean(0, np.float32) for row in inputs.neighbours])
    places = odd_images(images.embeddings, near, material.names.embeddings, material.bars)
    return odd(material, places)


def odd(material: Material, places: NDArray[np.int64]) -> list[Finding]:
    """Return odd images as one finding; one image alone is a note."""
    images, n = material.images, len(places)
    if not n:
        return []
    wrong = ~images.correct
    concerned = np.isin(np.arange(len(images)), places)
    figures = {
        "images": n,
        "of": len(images),
        "wrong": int(wrong[places].sum()) if material.labelled else None,
    }
    return [
        Finding(
            NAME,
            f"{n} of {len(images)} {_resemble(n)} no class of the run",
            beyond(concerned, wrong) if n >= _FEWEST else NOTHING,
            figures,
            images.ids[places].tolist()[:MOST_EVIDENCE],
            (),
            frozenset(places[wrong[places]].tolist()),
        )
    ]


def _resemble(images: int) -> str:
    return "resembles" if images == 1 else "resemble"


def clause(finding: Finding) -> str:
    """Say how many images are odd, and how many of them are misclassified."""
    n, wrong = finding.figures["images"], finding.figures["wrong"]
    text = f"{n} {_resemble(n)} no class"
    return text if wrong is None else f"{text}, {wrong} of them misclassified"


def details(finding: Finding) -> list[str]:
    """Return how odd images were recognised as printed lines."""
    n, wrong = finding.figures["images"], finding.figures["wrong"]
    why = "Neither a name nor the nearest photos are nearer than those of other classes often are."
    if wrong is None:
        return [why]
    alone = "It is misclassified." if wrong else "It is classified correctly."
    return [alone if n == 1 else f"{wrong} of the {n} are misclassified.", why]


ODD: Final = Kind(
    NAME, "odd image", "#b8b8a0", detect, details, clause, overlay=False, of_errors=False
)
