"""The page of `mapcap index --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapcap.printing.audit import lines_page
from mapcap.text import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mapcap.indexing.planning import Plan


def plan_page(plan: Plan) -> RenderableType:
    """Return what a run would take, a line each."""
    photos = counted(plan.photos, "image")
    lines = [f"{photos} of {counted(plan.classes, 'class')}"]
    for each in plan.downloads:
        size = "size unknown" if each.megabytes is None else f"about {each.megabytes:,.0f} MB"
        lines.append(f"to download: {each.option}: {each.repository}, {size}: {each.command}")
    if not plan.downloads:
        lines.append("to download: nothing")
    trial = plan.trial
    per_photo = (
        "9 kB an image, as of the embedded networks"
        if trial is None
        else (f"{trial.bytes_per_photo / 1000:,.1f} kB an image in the trial, before the audit")
    )
    lines.append(f"disk: about {plan.disk:,.1f} MB ({per_photo})")
    if trial is None or plan.seconds is None:
        lines.append("memory and time: measured once the networks are here")
    else:
        if trial.memory is not None:
            lines.append(f"memory: {trial.memory:,.0f} MB at the peak of two batches")
        stages = ", ".join(f"{name} {duration(spent)}" for name, spent in plan.seconds.items())
        whole = duration(sum(plan.seconds.values()))
        lines.append(
            f"time: about {whole} ({stages}), as {counted(trial.photos, 'image')} show it; "
            "summaries, audit and metrics come on top"
        )
    return lines_page([*lines, "nothing was fetched or written"])


def duration(seconds: float) -> str:
    """Return seconds in the largest unit that says something."""
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
