"""The findings of all classes of the run, what costs most first."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from db import queries
from db.records import ClassName, Finding, FindingKind
from db.verdicts import Mark
from mapcap.text import counted
from tui.navigation import OpenClass
from tui.opened import Opened
from tui.screens.class_audit import HINT
from tui.screens.findings import FindingsScreen, why_missing
from tui.texts import safe
from tui.widgets.finding_text import tag
from tui.widgets.findings_browser import FindingsBrowser, Listed
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows

_MOST: Final = 2000


@dataclass(frozen=True)
class FindingRows:
    """Findings of a run with the names of their classes, or why there are none."""

    listed: list[Listed]
    kinds: list[FindingKind]
    missing: str


class RunFindingsScreen(FindingsScreen):
    """A table of findings over the evidence of the one under the cursor."""

    HELP_TEXT = (
        "What the audit found in all classes, what costs most first: the misclassified images that "
        "it accounts for beyond chance. Notes, with which no error goes, stand with their class. "
        "Enter lists the pictures of a finding, v judges it, c opens its class, f shows one kind."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "kind(1)", "Kind", id="run_findings.kind", tooltip="Findings of one kind"),
        Binding("F", "kind(-1)", "Kind", show=False, id="run_findings.back",
                tooltip="Findings of the kind before"),
        Binding("c", "open_class", "Class", id="run_findings.class",
                tooltip="Open the class of the finding"),
    ]  # fmt: skip

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._kind: FindingKind | None = None
        self._kinds: list[FindingKind] = []

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="title")
        labelled = not self.opened.run.unlabelled
        yield FindingsBrowser(self.opened.picture, labelled=labelled, classes_named=True)
        yield Keys()

    def on_mount(self) -> None:
        """Ask for the findings."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the findings again."""
        self._ask(keep=True)

    def _ask(self, *, keep: bool) -> None:
        opened, kind = self.opened, self._kind
        self.ask(
            "findings",
            lambda: read_findings(opened, kind, self.judged),
            partial(self._show, keep=keep),
        )

    def _show(self, rows: FindingRows, *, keep: bool) -> None:
        self._kinds = rows.kinds
        count = len(rows.listed)
        title = Text.assemble((f"Findings of run {self.opened.run.id}  ", "bold"))
        if self._kind is None:
            title.append("all kinds")
        else:
            title.append_text(tag(self._kind.plain, self._kind.colour))
        title.append(f"  {count:,}" if count < _MOST else f"  the first {count:,}", style="dim")
        classes = len({each.finding.class_id for each in rows.listed})
        title.append(f" in {counted(classes, 'class')}" if classes else "", style="dim")
        if rows.missing:
            title.append_text(safe(f"  {rows.missing}", "yellow"))
        self.query_one("#title", Static).update(title)
        self.query_one(FindingsBrowser).show(rows.listed, keep=keep)

    def action_kind(self, step: int) -> None:
        """Show the findings of the next kind, or of all."""
        kinds = [None, *self._kinds]
        place = kinds.index(self._kind) if self._kind in kinds else 0
        self._kind = kinds[(place + step) % len(kinds)]
        self._ask(keep=False)

    def action_open_class(self) -> None:
        """Open the class of the finding, at the finding."""
        finding = self.query_one(FindingsBrowser).finding
        if finding is None:
            return
        chosen: Finding = finding

        def show(record: ClassName) -> None:
            self.post_message(OpenClass(self.opened, record, chosen))

        engine = self.opened.engine
        self.ask("class", lambda: queries.class_record(engine, chosen.class_id), show)


def read_findings(
    opened: Opened, kind: FindingKind | None, judged: Callable[[str, Finding], Mark | None]
) -> FindingRows:
    """Read the findings of a run, of one kind or all."""
    engine, run_id = opened.engine, opened.run.id
    kinds = queries.finding_kinds(engine, run_id)
    named = kind.name if kind is not None else None
    findings = queries.run_findings(engine, run_id, named, limit=_MOST)
    if findings:
        classes = {record.id: record for record in queries.classes(engine, run_id)}
        listed = [
            Listed(each, record.name, record.label, judged(record.label, each))
            for each in findings
            if (record := classes.get(each.class_id)) is not None
        ]
        return FindingRows(listed, kinds, "")
    if kind is not None or not queries.pending_audit(engine, run_id):
        return FindingRows([], kinds, "")
    run, stages = queries.run(engine, run_id), queries.stages(engine, run_id)
    return FindingRows([], kinds, why_missing("findings", "audit", HINT, run, stages))
