"""Every metric by name: what it says, its unit, and which way is better.

A name may carry an ending that says what stands beside the figure; `meaning` knows them all.
"""

from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["up", "down", ""]
"""Which way is better; nothing where neither is."""

Kind = Literal["localisation", "maps", "faithfulness", "sanity", "captions", "summaries", "basis"]


@dataclass(frozen=True)
class Meaning:
    """What a figure says."""

    kind: Kind
    line: str
    unit: str
    better: Direction
    correlated: bool = False
    """Whether accuracy is compared with it across classes."""
    confounded: bool = False
    """Whether it is computed from the same probabilities as accuracy, and goes with it anyway."""


_AREA = "area under the true class's probability"
_SANE = "rank correlation of the map with"

FIGURES: dict[str, Meaning] = {
    "pointing": Meaning(
        "localisation", "the centre of the best patch lies in the box", "share", "up", True
    ),
    "energy": Meaning("localisation", "relevance inside the box", "share", "up", True),
    "box-iou": Meaning(
        "localisation",
        "overlap of the box with that of the map's largest part",
        "intersection over union",
        "up",
        True,
    ),
    "mask-iou": Meaning(
        "localisation",
        "overlap of the box with the map's largest part itself",
        "intersection over union",
        "up",
        True,
    ),
    "boxes-excluded": Meaning(
        "localisation", "boxes outside the view, or over 60 % of it", "share", ""
    ),
    "maps-empty": Meaning("maps", "maps that are zero everywhere", "share", "down"),
    "map-entropy": Meaning(
        "maps", "perplexity of the map as a share of its patches", "share", "", True
    ),
    "map-mass": Meaning("maps", "sum of the raw relevance", "logits", "", True),
    "regions-per-map": Meaning("maps", "regions found in a map", "regions", "", True),
    "tokens-deletion": Meaning(
        "faithfulness", f"{_AREA} as the best patches' tokens go first", "probability", "down"
    ),
    "tokens-insertion": Meaning(
        "faithfulness", f"{_AREA} as the best patches' tokens come first", "probability", "up"
    ),
    "tokens-random": Meaning(
        "faithfulness", f"{_AREA} as tokens come in random order", "probability", ""
    ),
    "blur-deletion": Meaning(
        "faithfulness", f"{_AREA} as the best patches are blurred first", "probability", "down"
    ),
    "blur-insertion": Meaning(
        "faithfulness", f"{_AREA} as the best patches are made sharp first", "probability", "up"
    ),
    "blur-random": Meaning(
        "faithfulness", f"{_AREA} as patches are made sharp in random order", "probability", ""
    ),
    **{
        f"{way}-{order}-gain": Meaning(
            "faithfulness",
            f"{way}-{order} against {way}-random",
            "probability",
            "up",
            correlated=True,
            confounded=True,
        )
        for way in ("tokens", "blur")
        for order in ("deletion", "insertion")
    },
    "sanity-image": Meaning("sanity", f"{_SANE} that of another class's image", "rho", ""),
    "sanity-class": Meaning(
        "sanity", f"class randomisation: {_SANE} another class's", "rho", "down", True
    ),
    "sanity-last-block": Meaning(
        "sanity", f"parameter randomisation, last block: {_SANE} the map then", "rho", "down"
    ),
    "sanity-half": Meaning(
        "sanity", f"parameter randomisation, last half: {_SANE} the map then", "rho", "down"
    ),
    "sanity-all": Meaning(
        "sanity", f"parameter randomisation, all blocks: {_SANE} the map then", "rho", "down"
    ),
    "caption-distinct": Meaning(
        "captions", "distinct captions of a class, by its regions", "share", "up", True
    ),
    "caption-empty": Meaning("captions", "captions that say nothing", "share", "down"),
    "caption-artefacts": Meaning(
        "captions", "captions of the image rather than its content", "share", "down", True
    ),
    "caption-cosine": Meaning("captions", "cosine of caption and region", "cosine", "up", True),
    "caption-specificity": Meaning(
        "captions", "caption-cosine minus the cosine with the whole image", "cosine", "up", True
    ),
    "caption-contrast": Meaning(
        "captions",
        "caption-cosine minus the cosine with the rest of the image",
        "cosine",
        "up",
        True,
    ),
    "summary-artefacts": Meaning(
        "summaries", "sentences about the image rather than its content", "share", "down", True
    ),
    "summary-worse": Meaning(
        "summaries", "classes whose summary has more of them than its captions", "share", "down"
    ),
    "class-retrieval-rank": Meaning(
        "summaries", "rank of the class among all names, by its summary", "rank", "down", True
    ),
    "class-retrieval-top1": Meaning("summaries", "summaries nearest to their class", "share", "up"),
    "class-retrieval-top5": Meaning(
        "summaries", "summaries with their class among the nearest five", "share", "up"
    ),
    "nameless-retrieval-rank": Meaning(
        "summaries", "the same rank without the words of the class's name", "rank", "down", True
    ),
    "nameless-retrieval-top1": Meaning(
        "summaries", "summaries nearest to their class without its name", "share", "up"
    ),
    "nameless-retrieval-top5": Meaning(
        "summaries", "without its name, with the class among the nearest five", "share", "up"
    ),
    "basis-predicted": Meaning("basis", "predicted images when measured", "images", ""),
    "basis-captions": Meaning("basis", "distinct captions when measured", "captions", ""),
}

ENDINGS = {
    "-centre-prior": "the centre-prior baseline: a Gaussian in the centre of the view",
    "-uniform": "the uniform baseline: a map that is equal everywhere",
    "-gain": "gain over the centre-prior baseline",
    "-chance": "chance level: a text that knows nothing",
}
"""What stands beside a figure, under its name and this ending."""

CORRELATION = "rho-"
"""`rho-NAME`: Spearman's rho of accuracy with a figure across classes; n 0 where undefined.

`rho-NAME-p` is its p, `rho-NAME-q` its false discovery rate among all figures so tested.
"""

CORRELATED = tuple(name for name, figure in FIGURES.items() if figure.correlated)

LOCALISATION = ("pointing", "energy", "box-iou", "mask-iou")


def meaning(name: str) -> Meaning | None:
    """Return what a stored figure says, None for one that this version does not know."""
    if name in FIGURES:
        return FIGURES[name]
    if name.startswith(CORRELATION):
        of = name.removeprefix(CORRELATION)
        for ending, unit in (("-p", "p"), ("-q", "q"), ("", "rho")):
            base = FIGURES.get(of.removesuffix(ending))
            if base is not None and of.endswith(ending):
                line = f"accuracy against {of.removesuffix(ending)} across classes"
                return Meaning(base.kind, line, unit, "")
        return None
    for ending, line in ENDINGS.items():
        base = FIGURES.get(name.removesuffix(ending))
        if base is not None and name.endswith(ending):
            better: Direction = "up" if ending == "-gain" else ""
            of = f"{name.removesuffix(ending)}: {line}"
            return replace(base, line=of, better=better, correlated=False)
    return None
