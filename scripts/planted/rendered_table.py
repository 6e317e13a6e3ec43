"""The score of the synthetic bed: a file against its truth, and the table of several."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from db import queries
from mapcap.errors import UserError
from mapcap.text import clean
from scripts.planted.plan import FAULTS
from scripts.planted.reading import Audited
from scripts.planted.scoring import FaultScore, Score, score, share_on
from scripts.planted.truth import TRUTH, Truth


@dataclass(frozen=True)
class Shares:
    """Mean share of the relevance on something against its mean share of the picture's area."""

    relevance: float | None
    area: float | None
    images: int


@dataclass(frozen=True)
class Result:
    """The score of one file."""

    seed: int
    accuracy: float | None
    controls: tuple[str, ...]
    """The classes in which nothing is planted."""
    score: Score
    mark: Shares
    object: Shares

    @property
    def alarms_in_controls(self) -> int:
        """Return how many of the false alarms are in classes in which nothing is planted."""
        return sum(class_name in self.controls for class_name, _ in self.score.false_alarms)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        suspicion = self.score.suspicion
        return {
            "seed": self.seed,
            "accuracy": self.accuracy,
            "kinds": len(FAULTS),
            "kinds_found": list(self.score.kinds_found()),
            "faults": [asdict(one) | {"found": one.found} for one in self.score.faults],
            "labels": asdict(suspicion)
            | {"precision": suspicion.precision, "recall": suspicion.recall},
            "controls": list(self.controls),
            "alarms_in_controls": self.alarms_in_controls,
            "false_alarms": [list(one) for one in self.score.false_alarms],
            "relevance_on_mark": asdict(self.mark),
            "relevance_on_object": asdict(self.object),
        }


def score_rendered(audited: Audited, truth: Truth) -> Result:
    """Score a run.

    Raises:
        UserError: for a run of other images.
    """
    if set(audited.ids) != set(truth.images):
        raise UserError(f"its images are not those of {TRUTH}: index the folder beside it")
    paths = {number: path for path, number in audited.ids.items()}
    grids = {
        paths[image_id]: maps["true"].grid
        for image_id, maps in queries.relevances(audited.engine, list(paths)).items()
        if "true" in maps
    }
    return Result(
        truth.seed,
        audited.accuracy,
        tuple(name for name, planted in truth.classes.items() if planted.fault is None),
        score(truth, audited.findings),
        _shares(
            [(grids[path], truth.mark_mask(path)) for path in grids if truth.images[path].mark]
        ),
        _shares([(grids[path], truth.object_mask(path)) for path in grids]),
    )


def _shares(pairs: Sequence[tuple[Any, Any]]) -> Shares:
    """Return the mean shares of relevance and of area over grids and masks."""
    on_it = [(share_on(grid, mask), float(mask.mean())) for grid, mask in pairs]
    known = [(share, area) for share, area in on_it if share is not None]
    if not known:
        return Shares(None, None, 0)
    relevance, area = np.mean(known, axis=0)
    return Shares(float(relevance), float(area), len(known))


def print_results(console: Console, results: Sequence[Result]) -> None:
    """Print one row for each file, then what was missed and what was alarmed falsely."""
    table = Table(title="planted faults among the first three findings of their class")
    for heading in ("seed", "accuracy", *FAULTS, "found", "suspects right"):
        table.add_column(heading, justify="left" if heading in FAULTS else "right")
    table.add_column("false alarms (in controls)", justify="right")
    table.add_column("relevance on mark (area)", justify="right")
    table.add_column("on object (area)", justify="right")
    for result in results:
        table.add_row(*_row(result))
    console.print(table)
    found = sum(len(result.score.kinds_found()) for result in results)
    console.print(f"{found} of {len(results) * len(FAULTS)} planted kinds of fault found")
    for result in results:
        for one in result.score.faults:
            if not one.found:
                console.print(f"seed {result.seed}: missed {one.fault} of {one.class_name}")
        for class_name, title in result.score.false_alarms:
            text = f"seed {result.seed}: false alarm in {class_name}: {clean(title)}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def _row(result: Result) -> list[str]:
    cells = []
    for fault in FAULTS:
        ones = [one for one in result.score.faults if one.fault == fault]
        places = [_place(one) for one in ones]
        cells.append(f"{' / '.join(places)} {' / '.join(one.class_name for one in ones)}")
    suspicion = result.score.suspicion
    return [
        str(result.seed),
        "-" if result.accuracy is None else f"{result.accuracy:.2f}",
        *cells,
        f"{len(result.score.kinds_found())} of {len(FAULTS)}",
        f"{suspicion.right} of {suspicion.named}, of {suspicion.wrong_labels} wrong",
        f"{len(result.score.false_alarms)} ({result.alarms_in_controls})",
        *(_said(shares) for shares in (result.mark, result.object)),
    ]


def _place(one: FaultScore) -> str:
    """Return the position of what says a fault, and that of a random order."""
    return "-" if one.position is None else f"{one.position} (random {one.at_random:.1f})"


def _said(shares: Shares) -> str:
    if shares.relevance is None or shares.area is None:
        return "-"
    return f"{shares.relevance:.3f} ({shares.area:.3f})"
