"""The sentences chosen for a class, for any length and redundancy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from db.records import Pmi
from db.selection import select
from tui.show import bar, safe
from tui.widgets.rows import Column, Rows

_LONGEST = 30
_STEP = 0.25


@dataclass(frozen=True)
class Chosen:
    """A chosen sentence with the scores that chose it."""

    position: int
    caption_id: int
    text: str
    count: int
    relevance: float
    penalty: float
    score: float
    best: float


def choose(pmi: Pmi, k: int, redundancy: float) -> list[Chosen]:
    """Select the sentences of a class from its stored matrix."""
    if not pmi.texts:
        return []
    found = select(pmi.matrix, pmi.counts, k, redundancy, pmi.weights)
    best = max(each.relevance for each in found) or 1.0
    return [
        Chosen(
            place,
            int(pmi.caption_ids[each.index]),
            pmi.texts[each.index],
            int(pmi.counts[each.index]),
            each.relevance,
            each.penalty,
            each.score,
            best,
        )
        for place, each in enumerate(found)
    ]


class SummaryPane(Vertical):
    """The summary, and the two figures it depends on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "length(1)", "k", id="summary.longer", tooltip="Longer"),
        Binding("minus", "length(-1)", "k", id="summary.shorter", tooltip="Shorter"),
        Binding(
            "right_square_bracket", "redundancy(1)", "λ", id="summary.more",
            tooltip="Larger lambda: less repetition",
        ),
        Binding(
            "left_square_bracket", "redundancy(-1)", "λ", id="summary.less",
            tooltip="Smaller lambda: more relevance",
        ),
    ]  # fmt: skip
    k: reactive[int] = reactive(5, init=False)
    redundancy: reactive[float] = reactive(1.0, init=False)

    class Reselect(Message):
        """Another length or redundancy is wanted."""

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Static(id="summary-head")
        columns: list[Column[Chosen]] = [
            Column("position", "#", 3, lambda r, w: Text(str(r.position + 1)), right=True),
            Column("text", "sentence", 12, lambda r, w: safe(r.text), wide=True),
            Column("count", "times", 5, lambda r, w: Text(str(r.count)), right=True),
            Column("bar", "", 8, lambda r, w: bar(r.relevance / r.best, w), least=90),
            Column(
                "relevance", "relevance", 9, lambda r, w: Text(f"{r.relevance:.1f}"), right=True
            ),
            Column("penalty", "penalty", 8, lambda r, w: Text(f"{r.penalty:.1f}"), right=True),
            Column("score", "score", 8, lambda r, w: Text(f"{r.score:.1f}"), right=True),
        ]
        yield Rows[Chosen](
            columns, lambda r: r.caption_id, empty="no summary: not indexed yet", id="sentences"
        )

    def show(self, chosen: Sequence[Chosen], pmi: Pmi | None) -> None:
        """Show a selection."""
        head = Text.assemble(("k ", "dim"), (f"{self.k}", "bold"), ("   λ ", "dim"))
        head.append(f"{self.redundancy:g}", style="bold")
        if pmi is not None:
            n = len(pmi.texts)
            head.append(f"   chosen from {n} distinct captions", style="dim")
            if pmi.distinct_total > n:
                head.append(f" (of {pmi.distinct_total})", style="dim")
        self.query_one("#summary-head", Static).update(head)
        self.query_one(Rows).fill(chosen)

    def action_length(self, step: int) -> None:
        """Ask for a longer or shorter summary."""
        self.k = max(1, min(_LONGEST, self.k + step))

    def action_redundancy(self, step: int) -> None:
        """Ask for a larger or smaller lambda."""
        self.redundancy = max(0.0, min(10.0, self.redundancy + step * _STEP))

    def watch_k(self) -> None:
        """Tell that the length changed."""
        self.post_message(self.Reselect())

    def watch_redundancy(self) -> None:
        """Tell that lambda changed."""
        self.post_message(self.Reselect())
