"""Your verdicts as the page shows them, class by class."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy import Engine

from db import queries
from db.records import ClassName
from mapcap.export.rows import Marks
from mapcap.report.pictures import Drawer


@dataclass(frozen=True)
class VerdictLine:
    """A verdict, and what it is about: the class, a finding by its title, or an image by its path.

    `image_id` is None but for an image.
    """

    mark: str
    note: str
    about: str
    image_id: int | None = None


def read_verdicts(
    engine: Engine, run_id: int, classes: Iterable[ClassName], marks: Marks
) -> dict[int, list[VerdictLine]]:
    """Return the verdicts by class id: those on the class, on its findings, then on its images."""
    lines: dict[int, list[VerdictLine]] = defaultdict(list)
    findings = sorted(
        (name, verdict) for (kind, name), verdict in marks.items() if kind == "finding"
    )
    for record in classes:
        verdict = marks.get(("class", record.label))
        if verdict is not None:
            lines[record.id].append(VerdictLine(verdict.mark, verdict.note, "the class"))
        start = f"{record.label}: "
        lines[record.id] += [
            VerdictLine(verdict.mark, verdict.note, verdict.shown.removeprefix(start))
            for name, verdict in findings
            if name.startswith(start)
        ]
    images = {name: verdict for (kind, name), verdict in marks.items() if kind == "image"}
    placed = queries.locate_images(engine, run_id, images)
    for path in sorted(placed):
        image_id, class_id = placed[path]
        verdict = images[path]
        lines[class_id].append(VerdictLine(verdict.mark, verdict.note, path, image_id))
    return lines


def pictures(
    engine: Engine, drawer: Drawer, verdicts: Iterable[VerdictLine]
) -> Mapping[int, Markup | None]:
    """Return a small picture of each image that has a verdict, by image id."""
    ids = [verdict.image_id for verdict in verdicts if verdict.image_id is not None]
    thumbnails = queries.thumbnails(engine, ids)
    return {image_id: drawer.evidence(thumbnails.get(image_id), []) for image_id in ids}


def counts_of(marks: Marks) -> str:
    """Return how many verdicts there are, by what they say, the most frequent first."""
    counts: dict[str, int] = defaultdict(int)
    for verdict in marks.values():
        counts[verdict.mark] += 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {mark}" for mark, count in ordered)
