"""What the first screen says of the run in its title, and of the class under the cursor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from db import queries
from db.records import ClassName, Run, RunTotals, Stage
from mapcap.runs.source import source_line
from mapcap.runs.standing import classes_of
from mapcap.summaries.absent import why_no_summary
from tui.opened import Opened
from tui.texts import safe, share
from tui.widgets.class_card import Card


def card_of(opened: Opened, record: ClassName) -> Card:
    """Read what the card of a class shows."""
    engine = opened.engine
    summary = opened.summary(record.id)
    empty = summary is None or not summary.sentences
    return Card(
        record,
        opened.of_class(record),
        summary,
        queries.confusions(engine, record.id),
        queries.word_scores(engine, record.id, "relevance", limit=12),
        queries.class_audit(engine, record.id),
        queries.findings(engine, record.id),
        Counter(mark for mark, _ in opened.marked(record.id)),
        why_no_summary(engine, opened.run, record) if empty else "",
    )


def title_of(run: Run, totals: RunTotals, stages: Sequence[Stage], newer: int | None) -> Text:
    """Return the line above the table: how much the run holds, and how far the job has come."""
    text = Text.assemble((f"Run {run.id} ", "bold"), safe(f"{run.preset}  ", longest=40))
    text.append(f"{classes_of(run, totals)}  {totals.images} images  ")
    if totals.predicted and totals.correct is not None:
        text.append(f"accuracy {share(totals.correct / totals.predicted)}  ", style="bold")
    source = source_line(run, totals.predicted, totals.agreed)
    if source is not None:
        text.append_text(safe(f"{source}  ", "cyan"))
    if run.status != "done":
        now = next((s for s in stages if s.status == "running"), None)
        where = f": {now.name} {now.done}/{now.total}" if now else ""
        text.append_text(safe(f"{run.status}{where}", "yellow"))
    if newer is not None:
        text.append(f"run {newer} is not finished: ctrl+r", "yellow")
    return text
