"""One class at a glance: its summary with scores, its confusions, its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from db.records import ClassAudit, ClassName, Confusion, Finding, Summary, WordScore
from db.verdicts import Mark, Verdict
from mapcap.text import counted
from tui.texts import accuracy_bar, bar, grade, safe, share
from tui.widgets.finding_text import line_of, tag

_BAR = 12
_FINDINGS = 3


@dataclass(frozen=True)
class Card:
    """What the card shows of a class."""

    record: ClassName
    verdict: Verdict | None
    summary: Summary | None
    confusions: Sequence[Confusion]
    words: Sequence[WordScore]
    audit: ClassAudit | None
    findings: Sequence[Finding]
    marks: Mapping[Mark, int]
    absent: str
    """Why, where there is no summary."""


class ClassCard(VerticalScroll):
    """The card of the class under the cursor."""

    def compose(self) -> ComposeResult:
        """Lay out the card."""
        yield Static(id="card")

    def show(self, card: Card) -> None:
        """Show another class."""
        self.query_one("#card", Static).update(Once(Group(*draw_card(card))))

    def clear(self) -> None:
        """Show no class."""
        self.query_one("#card", Static).update("")


class Once:
    """A renderable that is rendered once: Textual renders to measure a height, then to paint."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable
        self._width: int | None = None
        self._segments: list[Segment] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width != self._width:
            self._width = options.max_width
            self._segments = list(console.render(self._renderable, options))
        return self._segments


def draw_card(card: Card) -> list[RenderableType]:
    """Return the parts of a card."""
    record = card.record
    parts: list[RenderableType] = [safe(record.name, "bold", longest=120), _figures(record)]
    if card.verdict is not None:
        parts.append(verdict_line(card.verdict))
    if card.marks:
        parts.append(_verdict_counts(card.marks))
    parts += _why(card)
    parts.append(Text("\nSummary", style="bold underline"))
    sentences = card.summary.sentences if card.summary is not None else ()
    if not sentences:
        parts.append(safe(card.absent, "dim"))
    for sentence in sentences:
        place = (f"{sentence.position + 1} ", "cyan")
        parts.append(Text.assemble(place, safe(sentence.text, longest=160)))
        scores = f"  relevance {sentence.relevance:.1f} − penalty {sentence.penalty:.1f}"
        parts.append(Text(f"{scores} → {sentence.score:.1f}", style="dim"))
    if record.correct is not None:
        parts.append(Text("\nPredicted as", style="bold underline"))
        parts.append(_confusions(card.confusions))
    parts.append(Text("\nWords", style="bold underline"))
    parts.append(_words(card.words))
    return parts


def verdict_line(verdict: Verdict) -> Text:
    """Return a verdict as one line."""
    note = safe(f"  {verdict.note}" if verdict.note else "", longest=160)
    return Text.assemble(("✎ ", "magenta"), safe(verdict.mark, "magenta bold"), note)


def _verdict_counts(marks: Mapping[Mark, int]) -> Text:
    """Return how many images of the class have which verdict."""
    counts = ", ".join(f"{count} {mark}" for mark, count in marks.items())
    return Text.assemble(("✎ ", "magenta"), ("images: ", "dim"), (counts, "magenta"))


def _why(card: Card) -> list[RenderableType]:
    """Return the audit's line, and the titles of the first findings."""
    heading = "Why" if card.record.correct is not None else "Audit"
    parts: list[RenderableType] = [Text(f"\n{heading}", style="bold underline")]
    if card.audit is None:
        return [*parts, Text("no audit yet", style="dim")]
    parts.append(line_of(card.audit, card.record.name))
    for finding in card.findings[:_FINDINGS]:
        title = safe(finding.title, longest=160)
        parts.append(tag(finding.plain, finding.colour) + Text(" ") + title)
    return parts


def _figures(record: ClassName) -> Text:
    if record.correct is None:
        return Text(f"{counted(record.predicted, 'image')} predicted as it")
    if record.accuracy is None:
        return Text(f"{record.images} images, not predicted yet", style="dim")
    line = accuracy_bar(record.accuracy, record.accuracy_low, record.accuracy_high, 20)
    line.append(f" {share(record.accuracy)}", style=f"bold {grade(record.accuracy)}")
    line.append(f"  {record.correct} of {record.predicted} correct")
    if record.accuracy_low is not None and record.accuracy_high is not None:
        ends = f"{100 * record.accuracy_low:.0f} to {100 * record.accuracy_high:.0f} %"
        line.append(f"\n95 % interval {ends}", style="dim")
    return line


def _confusions(confusions: Sequence[Confusion]) -> RenderableType:
    if not confusions:
        return Text("nothing else", style="dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(width=_BAR, no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, min_width=4)
    for confusion in confusions[:8]:
        name = safe(confusion.predicted_name, longest=60)
        grid.add_row(name, bar(confusion.share, _BAR, "red"), Text(f"{confusion.count}"))
    return grid


def _words(words: Sequence[WordScore]) -> RenderableType:
    if not words:
        return Text("no words yet", style="dim")
    most = max(abs(word.score) for word in words) or 1.0
    grid = Table.grid(padding=(0, 1))
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(width=_BAR, no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, min_width=4)
    for word in words:
        drawn_bar = bar(word.score / most, _BAR, "blue")
        grid.add_row(safe(word.word, longest=40), drawn_bar, Text(f"{word.count}×"))
    return grid
