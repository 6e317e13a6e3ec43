"""Did the audit find what was planted? Rules that compare its first findings with the truth."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.planted.plan import FAULTS, Fault
from scripts.planted.reported import Placed, Reported, Suspicion, placed, suspicion
from scripts.planted.truth import ClassTruth, ImageTruth, Truth

_MOSTLY = 0.5


@dataclass(frozen=True)
class FaultScore(Placed):
    """Where a planted fault was named among the findings of its class."""

    fault: Fault
    class_name: str


@dataclass(frozen=True)
class Score:
    """How an audit did on a test bed.

    The pair that is confused has an entry in `faults` for each of its classes. `false_alarms` are
    class and title of findings of any kind, notes left out, that neither say what is planted in
    their class nor concern mostly the images that bear it.
    """

    faults: tuple[FaultScore, ...]
    suspicion: Suspicion
    false_alarms: tuple[tuple[str, str], ...]

    def kinds_found(self) -> tuple[Fault, ...]:
        """Return the kinds of fault that were found, the pair's if either class says it."""
        found = {one.fault for one in self.faults if one.found}
        return tuple(fault for fault in FAULTS if fault in found)


def score(truth: Truth, findings: Mapping[str, Sequence[Reported]]) -> Score:
    """Compare the findings of each class, the first first, with what was planted."""
    faults = [
        _fault_score(planted.fault, class_name, truth, findings.get(class_name, ()))
        for class_name, planted in truth.classes.items()
        if planted.fault is not None
    ]
    alarms = [
        (class_name, one.title)
        for class_name in truth.classes
        for one in findings.get(class_name, ())
        if not one.is_note
        and not _says(one, class_name, truth)
        and not _concerns(one, class_name, truth)
    ]
    wrong = {path for path, one in truth.images.items() if one.wrong_label}
    return Score(tuple(faults), suspicion(findings, truth.images.keys(), wrong), tuple(alarms))


def _fault_score(
    fault: Fault, class_name: str, truth: Truth, findings: Sequence[Reported]
) -> FaultScore:
    found = placed(findings, lambda one: _says(one, class_name, truth))
    return FaultScore(**vars(found), fault=fault, class_name=class_name)


def _concerns(finding: Reported, class_name: str, truth: Truth) -> bool:
    """Tell whether a finding concerns mostly images that bear what is planted in its class.

    What is planted in the pair is in all of its images.
    """
    fault = truth.classes[class_name].fault
    if fault is None or not finding.images:
        return False
    images = [truth.images[path] for path in finding.images]
    bearing: Mapping[Fault, Callable[[ImageTruth], bool]] = {
        "background": lambda one: one.dark,
        "watermark": lambda one: one.mark is not None,
        "label": lambda one: one.wrong_label,
        "confusion": lambda one: True,
    }
    return sum(map(bearing[fault], images)) > _MOSTLY * len(images)


def _says(finding: Reported, class_name: str, truth: Truth) -> bool:
    """Tell whether a finding says what is planted in its class.

    A background or watermark may also be told by a word or slice whose words name it. A label
    finding must name mostly images whose label is wrong; a watermark's middle must lie in the mark.
    """
    planted = truth.classes[class_name]
    if planted.fault in ("background", "watermark") and finding.kind in ("word", "slice"):
        return _names(finding, planted)
    if finding.kind != planted.fault:
        return False
    if finding.kind == "background":
        return _names(finding, planted)
    if finding.kind == "watermark":
        return _hits(finding, class_name, truth)
    if finding.kind == "label":
        wrong = [truth.images[path].wrong_label for path in finding.images]
        return bool(wrong) and sum(wrong) > _MOSTLY * len(wrong)
    said = (finding.figures.get("predicted"), finding.figures.get("class"))
    return planted.partner in said


def _names(finding: Reported, planted: ClassTruth) -> bool:
    """Tell whether the words of a finding are among those that name the fault."""
    named = [finding.figures.get("word") or "", *finding.figures.get("names", ())]
    said = " ".join(re.findall(r"\w+", " ".join(named).lower()))
    return any(re.search(rf"\b{re.escape(word)}\b", said) for word in planted.words)


def _hits(finding: Reported, class_name: str, truth: Truth) -> bool:
    """Tell whether the middle of a finding's box, in shares of the view, lies in the mark."""
    marks = {one.mark for one in truth.images.values() if one.label == class_name and one.mark}
    x0, y0, x1, y1 = finding.figures["box"]
    x, y = (x0 + x1) / 2 * truth.size, (y0 + y1) / 2 * truth.size
    return any(left <= x < right and top <= y < low for left, top, right, low in marks)


def share_on(grid: npt.NDArray[np.floating[Any]], mask: npt.NDArray[np.bool_]) -> float | None:
    """Return the share of a grid's relevance that falls on a mask; None if it has no relevance.

    The test bed's pictures are square, so that a grid (rows, columns) covers all of `mask`
    (H, W) however the network resizes. Relevance counts as spread evenly within a patch.
    """
    weights = np.asarray(grid, dtype=np.float64)
    total = float(weights.sum())
    if total <= 0:
        return None
    return float((weights * _coverage(mask, weights.shape)).sum() / total)


def _coverage(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return the share of each patch of a grid that a mask covers: `shape`."""
    covered = mask.astype(np.float64)
    for patches in shape:
        size = covered.shape[0]
        sums = np.concatenate([np.zeros((1, covered.shape[1])), covered.cumsum(0)])
        edges = np.linspace(0, size, patches + 1)
        low = np.minimum(edges.astype(int), size - 1)
        at = sums[low] + (edges - low)[:, None] * (sums[low + 1] - sums[low])
        # Transposed, so that the other axis comes first next.
        covered = (np.diff(at, axis=0) * patches / size).T
    return covered
