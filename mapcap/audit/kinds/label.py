"""Findings of kind `label`: possible label errors."""

from collections import Counter
from typing import Final

from mapcap.audit.cost import NOTHING, beyond_expected
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, listed, percent
from mapcap.audit.material import Material
from mapcap.audit.suspects import Suspects

NAME: Final = "label"
_MOST_SAID = 6
_FEWEST = 2
"""Images of a class with a doubted label, below which they are listed as a note."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the images whose labels are doubted, as one finding."""
    return labels(inputs.material, inputs.suspects)


def labels(material: Material, doubted: Suspects) -> list[Finding]:
    """Return possible label errors as one finding; one image alone is a note."""
    images, names = material.images, material.names.names
    n = len(doubted.index)
    if not n:
        return []
    classes = Counter(names[material.names.ids[place]] for place in doubted.seems.tolist())
    of_classes = ", ".join(
        name if len(classes) == 1 else f"{name} ({count})" for name, count in classes.most_common(3)
    )
    are, look = (
        ("is a possible label error", "it looks")
        if n == 1
        else ("are possible label errors", "they look")
    )
    return [
        Finding(
            NAME,
            f"{n} of {len(images)} {are}: {look} like {of_classes}",
            beyond_expected(n, len(images), 0) if n >= _FEWEST else NOTHING,
            {
                "images": n,
                "of": len(images),
                "said": dict(classes.most_common()),
                "mean_margin": float(doubted.margin.mean()),
                "mean_level": float(doubted.level.mean()),
            },
            images.ids[doubted.index].tolist()[:MOST_EVIDENCE],
            (),
            frozenset(doubted.index.tolist()),
        )
    ]


def clause(finding: Finding) -> str:
    """Say how many labels are doubted; the line has said of how many."""
    return finding.title.replace(f" of {finding.figures['of']}", "", 1)


def details(finding: Finding) -> list[str]:
    """Return what speaks against the labels as printed lines."""
    figures = finding.figures
    classes = list(figures["said"].items())[:_MOST_SAID]
    return [
        "Nearer to another class's photos and name than to those of their label:",
        f"{percent(figures['mean_level'])} of random wrong labels of the run look less wrong.",
        *(listed(f"{count}×", name) for name, count in classes),
    ]


LABEL: Final = Kind(NAME, "label", "#ffc94d", detect, details, clause, overlay=False)
