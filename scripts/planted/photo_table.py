"""The score of beds of photos as plain values, and as a table."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from mapcap.text import clean
from scripts.planted.photo_scoring import PhotoFault, PhotoScore


def plain(score: PhotoScore) -> dict[str, Any]:
    """Return all figures as plain values."""
    suspicion = score.suspicion
    return {
        "seed": score.seed,
        "accuracy": score.accuracy,
        "clean_accuracy": score.clean_accuracy,
        "harmful": len(score.harmful),
        "harmful_found": sum(fault.found for fault in score.harmful),
        "faults": [
            asdict(fault) | {"found": fault.found, "hurts": fault.hurts} for fault in score.faults
        ],
        "labels": asdict(suspicion)
        | {"precision": suspicion.precision, "recall": suspicion.recall},
        "controls": score.controls,
        "false_in_controls": len(score.false_alarms),
        "in_controls": [asdict(alarm) | {"false": alarm.false} for alarm in score.alarms],
    }


def print_photo_scores(console: Console, scores: Sequence[PhotoScore]) -> None:
    """Print a row for each fault of a class, then what all amount to."""
    table = Table(title="faults planted in photos, and where the audit names them in their class")
    for heading in ("seed", "fault", "class"):
        table.add_column(heading)
    table.add_column("accuracy without, with it", justify="right")
    table.add_column("hurts")
    table.add_column("named (at random)", justify="right")
    table.add_column("as", overflow="fold")
    for score in scores:
        for fault in score.faults:
            table.add_row(str(score.seed), *_row(fault))
    console.print(table)
    for line in _summary(scores):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _row(fault: PhotoFault) -> list[str]:
    named = "-" if fault.position is None else f"{fault.position} ({fault.at_random:.1f})"
    return [
        fault.fault,
        clean(fault.class_name),
        f"{fault.clean:.2f}, {fault.planted:.2f}",
        "yes" if fault.hurts else "",
        named,
        clean(fault.title or ""),
    ]


def _summary(scores: Sequence[PhotoScore]) -> list[str]:
    harmful = [fault for score in scores for fault in score.harmful]
    found = sum(fault.found for fault in harmful)
    named = sum(score.suspicion.named for score in scores)
    right = sum(score.suspicion.right for score in scores)
    wrong = sum(score.suspicion.wrong_labels for score in scores)
    noted = sum(score.suspicion.noted for score in scores)
    noted_right = sum(score.suspicion.noted_right for score in scores)
    controls = sum(score.controls for score in scores)
    alarms = [(score.seed, alarm) for score in scores for alarm in score.alarms]
    false = sum(alarm.false for _, alarm in alarms)
    return [
        f"{found} of {len(harmful)} faults that hurt are named among the first three findings",
        f"labels: {right} of {named} doubted are wrong, of {wrong} wrong ones; {noted_right} of "
        f"{noted} that stand alone in their class, in notes",
        f"{controls} controls: {false} false findings, {len(alarms) - false} others that the index "
        "without faults has as well",
        *(
            f"seed {seed}: {'false' if alarm.false else 'also without faults'}: "
            f"{clean(alarm.class_name)}: {alarm.kind}: {clean(alarm.title)}"
            for seed, alarm in alarms
        ),
    ]
