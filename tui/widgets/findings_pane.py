"""What the audit says of a class: one line, the findings, the words of the errors, calibration."""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from db.records import ClassAudit
from tui.texts import safe
from tui.widgets.calibration import calibration
from tui.widgets.error_words import ErrorWords
from tui.widgets.finding_text import line_of
from tui.widgets.findings_browser import FindingsBrowser, Listed

View = Literal["browser", "words-view", "calibration"]
_FIRST: Final[dict[View, str]] = {
    "browser": "#findings",
    "words-view": "#error-words",
    "calibration": "#calibration",
}
_LEAST_HEIGHT: Final = 30
"""Lines of the pane below which the audit's line gets two lines and not four."""


class AuditLine(Static):
    """The audit's line, in as many lines of the screen as it may take."""

    def __init__(self) -> None:
        super().__init__(id="audit-line")
        self._text = Text()

    def say(self, text: Text) -> None:
        """Show another line."""
        self._text = text
        self._fit()

    def on_resize(self) -> None:
        """Cut the line again."""
        self._fit()

    def _fit(self) -> None:
        width = self.content_size.width
        most = 2 if self.screen.size.height < _LEAST_HEIGHT else 4
        lines = list(self._text.wrap(self.app.console, width)) if width else []
        if len(lines) > most:
            last = lines[most - 1]
            last.truncate(max(1, width - 2))
            lines = [*lines[: most - 1], last + Text(" …", "bold")]
        self.update(Text("\n").join(lines))


class FindingsPane(Vertical):
    """Three views under the audit's line; the findings come first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "turn('words-view')", "Words", id="findings.words",
                tooltip="Words of the errors, and back"),
        Binding("c", "turn('calibration')", "Calibration", id="findings.calibration",
                tooltip="Calibration, and back"),
    ]  # fmt: skip
    view: reactive[View] = reactive("browser", init=False)

    class WordsWanted(Message):
        """The words of the errors are wanted: they are looked at."""

    def __init__(self, picture: type[Widget], *, labelled: bool) -> None:
        super().__init__()
        self._picture = picture
        self._labelled = labelled

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield AuditLine()
        with ContentSwitcher(initial="browser"):
            yield FindingsBrowser(self._picture, labelled=self._labelled, id="browser")
            yield ErrorWords(id="words-view")
            with VerticalScroll(id="calibration"):
                yield Static(id="bins")

    def show(self, name: str, audit: ClassAudit | None, listed: Sequence[Listed]) -> None:
        """Show an audit."""
        self.query_one(FindingsBrowser).show(listed)
        if audit is not None:
            self.query_one(AuditLine).say(line_of(audit, name))
            self.query_one("#bins", Static).update(calibration(audit))

    def missing(self, why: str) -> None:
        """Say why there is no audit yet."""
        self.query_one(FindingsBrowser).show([])
        self.query_one(AuditLine).say(safe(why, "yellow"))
        self.query_one("#bins", Static).update(safe(why, "yellow"))

    def focus_first(self) -> None:
        """Go into the view."""
        self.query_one(_FIRST[self.view]).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer words of errors and calibration only where errors are known."""
        return self._labelled or action != "turn"

    def action_turn(self, view: View) -> None:
        """Show a view, or the findings again."""
        self.view = "browser" if self.view == view else view

    def watch_view(self) -> None:
        """Go into the view that is shown now."""
        self.query_one(ContentSwitcher).current = self.view
        self.focus_first()
        if self.view == "words-view":
            self.post_message(self.WordsWanted())
