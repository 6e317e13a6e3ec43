"""The sentences chosen for a class, for any length and redundancy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.text import Text
from sqlalchemy import Engine
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from db.records import Pmi, Sentence
from mapcap.summaries.stored import SIDES, summarise
from tui.texts import bar, safe
from tui.widgets.record_table import Column, Rows

_LONGEST = 30
_STEP = 0.25


OUTCOMES: Final[Mapping[bool, Mapping[str, str]]] = {
    True: {"right": "correct", "wrong": "errors"},
    False: {"right": "images"},
}
"""How counts of images by outcome are headed, with labels and without: then all are in one."""


@dataclass(frozen=True)
class Summaries:
    """The sentences of a class, and what either side of its images shares, if it has both."""

    whole: tuple[Sentence, ...] = ()
    sides: tuple[tuple[Sentence, ...], tuple[Sentence, ...]] | None = None


def choose(engine: Engine, pmi: Pmi, k: int, redundancy: float) -> Summaries:
    """Select the sentences of a class from its stored matrix."""
    summaries = [summarise(engine, pmi, k, redundancy, side) for side in SIDES]
    whole, right, wrong = (
        (summary.sentences if summary is not None else None) for summary in summaries
    )
    both = None if right is None or wrong is None else (right, wrong)
    return Summaries(whole or (), both)


def _count(side: str) -> Callable[[Sentence, int], Text]:
    """Return the cell of a sentence's images of one side."""
    return lambda sentence, width: Text(str(getattr(sentence, side)))


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

    def __init__(self, *, labelled: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._labelled = labelled

    _best = 1.0
    """The relevance that fills the bar."""
    k: reactive[int] = reactive(5, init=False)
    redundancy: reactive[float] = reactive(1.0, init=False)

    class Reselect(Message):
        """Another length or redundancy is wanted."""

    def begin(self, config: Mapping[str, Any]) -> None:
        """Begin at the summary that a run was made for, by its configuration."""
        k, redundancy = config.get("sentences"), config.get("redundancy")
        self.set_reactive(SummaryPane.k, k if isinstance(k, int) and k > 0 else 5)
        self.set_reactive(
            SummaryPane.redundancy, float(redundancy) if isinstance(redundancy, float) else 1.0
        )

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Static(id="summary-head")
        columns: list[Column[Sentence]] = [
            Column("position", "#", 3, lambda r, w: Text(str(r.position + 1)), right=True),
            Column("text", "sentence", 34, lambda r, w: safe(r.text), wide=True),
            *(
                Column(side, title, len(title), _count(side), right=True)
                for side, title in OUTCOMES[self._labelled].items()
            ),
            Column("bar", "", 8, lambda r, w: bar(r.relevance / self._best, w), rank=4),
            Column(
                "relevance",
                "relevance",
                9,
                lambda r, w: Text(f"{r.relevance:.2f}"),
                right=True,
                rank=3,
            ),
            Column(
                "penalty", "penalty", 8, lambda r, w: Text(f"{r.penalty:.2f}"), right=True, rank=3
            ),
            Column("score", "score", 8, lambda r, w: Text(f"{r.score:.2f}"), right=True, rank=2),
        ]
        yield Rows[Sentence](columns, lambda r: r.caption_id, empty="no summary", id="sentences")
        with Horizontal(id="sides"):
            for side, outcome in (("right", "correct"), ("wrong", "misclassified")):
                shared: list[Column[Sentence]] = [
                    Column("images", "images", 6, _count(side), right=True),
                    Column(
                        "text", f"{outcome} images share", 12, lambda r, w: safe(r.text), wide=True
                    ),
                ]
                yield Rows[Sentence](shared, lambda r: r.caption_id, empty="", id=f"{side}-side")

    def show(self, summaries: Summaries, pmi: Pmi | None) -> None:
        """Show a selection."""
        head = Text.assemble(("k ", "dim"), (f"{self.k}", "bold"), ("   λ ", "dim"))
        head.append(f"{self.redundancy:g}", style="bold")
        if pmi is not None:
            n = len(pmi.texts)
            head.append(f"   chosen from {n} distinct captions", style="dim")
            if pmi.distinct_total > n:
                head.append(f" (of {pmi.distinct_total})", style="dim")
        self.query_one("#summary-head", Static).update(head)
        self._best = max((each.relevance for each in summaries.whole), default=0.0) or 1.0
        self.query_one("#sentences", Rows).fill(summaries.whole)
        right, wrong = summaries.sides or ((), ())
        self.query_one("#right-side", Rows).fill(right)
        self.query_one("#wrong-side", Rows).fill(wrong)
        self.query_one("#sides").display = summaries.sides is not None

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
