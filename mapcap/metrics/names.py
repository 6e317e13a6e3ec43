"""Every figure of quality by name: what it says, its unit, and which way is better.

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
    """Whether accuracy is held against it across classes."""
    entangled: bool = False
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
    "boxes-left-out": Meaning(
        "localisation", "boxes outside the view, or over 60 % of it", "share", ""
    ),
    "maps-empty": Meaning("maps", "maps that are zero everywhere", "share", "down"),
    "map-spread": Meaning(
        "maps", "part of the view that the relevance spreads over", "share", "", True
    ),
    "map-strength": Meaning("maps", "sum of the raw relevance", "logits", "", True),
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
        f"{way}-{order}-ahead": Meaning(
            "faithfulness",
            f"{way}-{order} against {way}-random",
            "probability",
            "up",
            correlated=True,
            entangled=True,
        )
        for way in ("tokens", "blur")
        for order in ("deletion", "insertion")
    },
    "sanity-image": Meaning("sanity", f"{_SANE} that of another class's image", "rho", ""),
    "sanity-text": Meaning("sanity", f"{_SANE} the one for another class", "rho", "down", True),
    "sanity-last-block": Meaning(
        "sanity", f"{_SANE} the one with the last block's weights shuffled", "rho", "down"
    ),
    "sanity-half": Meaning(
        "sanity", f"{_SANE} the one with the last half of the blocks shuffled", "rho", "down"
    ),
    "sanity-all": Meaning("sanity", f"{_SANE} the one with all blocks shuffled", "rho", "down"),
    "caption-distinct": Meaning(
        "captions", "distinct captions of a class, by its regions", "share", "up", True
    ),
    "caption-empty": Meaning("captions", "captions that say nothing", "share", "down"),
    "caption-artefacts": Meaning(
        "captions", "captions that speak of the rendering", "share", "down", True
    ),
    "caption-cosine": Meaning("captions", "cosine of caption and region", "cosine", "up", True),
    "caption-over-image": Meaning(
        "captions", "caption-cosine less the cosine with the whole image", "cosine", "up", True
    ),
    "caption-over-rest": Meaning(
        "captions", "cosine with the region less that with all the rest", "cosine", "up", True
    ),
    "summary-artefacts": Meaning(
        "summaries", "sentences that speak of the rendering", "share", "down", True
    ),
    "summary-worse": Meaning(
        "summaries", "classes whose summary has more of them than its captions", "share", "down"
    ),
    "summary-rank": Meaning(
        "summaries", "rank of the own class among all names, by the summary", "rank", "down", True
    ),
    "summary-top1": Meaning("summaries", "summaries nearest to their class", "share", "up"),
    "summary-top5": Meaning(
        "summaries", "summaries with their class among the nearest five", "share", "up"
    ),
    "nameless-rank": Meaning(
        "summaries", "summary-rank without the words of the class's name", "rank", "down", True
    ),
    "nameless-top1": Meaning(
        "summaries", "summaries nearest to their class without its name", "share", "up"
    ),
    "nameless-top5": Meaning(
        "summaries", "without its name, with the class among the nearest five", "share", "up"
    ),
    "basis-predicted": Meaning("basis", "predicted images when measured", "images", ""),
    "basis-captions": Meaning("basis", "distinct captions when measured", "captions", ""),
}

ENDINGS = {
    "-centred": "the same of a Gaussian in the centre of the view",
    "-uniform": "the same of a map that is equal everywhere",
    "-ahead": "by how much it is ahead of the centred Gaussian",
    "-chance": "the same of a text that knows nothing",
}
"""What stands beside a figure, under its name and this ending."""

CORRELATION = "rho-"
"""`rho-NAME`: Spearman's rho of accuracy with a figure across classes; n 0 where undefined.

`rho-NAME-p` is its p, `rho-NAME-q` its false discovery rate among all figures so tested.
"""

CORRELATED = tuple(name for name, found in FIGURES.items() if found.correlated)

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
            better: Direction = "up" if ending == "-ahead" else ""
            of = f"{name.removesuffix(ending)}: {line}"
            return replace(base, line=of, better=better, correlated=False)
    return None
