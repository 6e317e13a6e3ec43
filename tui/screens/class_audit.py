"""The tab of a class that says what the audit found."""

from dataclasses import dataclass

from db import queries
from db.records import ClassAudit, ClassName, ErrorWord, Finding
from tui.opened import Opened
from tui.screens.findings import FindingsScreen, why_missing
from tui.widgets.error_words import ErrorWords, Rival
from tui.widgets.findings_browser import FindingsBrowser, Listed
from tui.widgets.findings_pane import FindingsPane

HINT = "run the same `mapcap index` command again, which adds what is missing"


@dataclass(frozen=True)
class Audited:
    """The audit of a class with its findings, or why there is none."""

    audit: ClassAudit | None
    findings: list[Finding]
    missing: str


@dataclass(frozen=True)
class Tested:
    """The words of a class's errors, and the classes that they were also compared with."""

    words: list[ErrorWord]
    rivals: list[Rival]


class ClassAuditScreen(FindingsScreen):
    """A screen of a class with a `FindingsPane`."""

    def __init__(self, opened: Opened, record: ClassName, finding: Finding | None = None) -> None:
        super().__init__(opened)
        self.record = record
        self._wanted = finding
        self._against: Rival | None = None

    def ask_audit(self) -> None:
        """Ask for the findings, and for the words if they are looked at."""
        self.ask("audit", lambda: audited(self.opened, self.record.id), self._got_audit)
        if self.query_one(FindingsPane).view == "words-view":
            self._ask_words()

    def _got_audit(self, audited: Audited) -> None:
        pane = self.query_one(FindingsPane)
        if audited.audit is None:
            pane.missing(audited.missing)
            return
        name, label = self.record.name, self.record.label
        listed = [Listed(each, name, label, self.judged(label, each)) for each in audited.findings]
        pane.show(name, audited.audit, listed)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            browser = pane.query_one(FindingsBrowser)
            browser.select(wanted)

    def on_findings_pane_words_wanted(self) -> None:
        """Ask for the words."""
        self._ask_words()

    def on_error_words_wanted(self) -> None:
        """Ask for the words against another class."""
        self._ask_words()

    def _ask_words(self) -> None:
        pane, engine, class_id = self.query_one(ErrorWords), self.opened.engine, self.record.id
        against = pane.against
        number = against[0] if against is not None else None
        keep, self._against = against == self._against, against
        self.ask(
            "words",
            lambda: Tested(
                queries.error_words(engine, class_id, number),
                queries.word_rivals(engine, class_id),
            ),
            lambda tested: pane.show(tested.words, tested.rivals, keep=keep),
        )


def audited(opened: Opened, class_id: int) -> Audited:
    """Read the audit of a class."""
    engine = opened.engine
    audit = queries.class_audit(engine, class_id)
    if audit is not None:
        return Audited(audit, queries.findings(engine, class_id), "")
    run, stages = queries.run(engine, opened.run.id), queries.stages(engine, opened.run.id)
    return Audited(None, [], why_missing("audit", "audit", HINT, run, stages))
