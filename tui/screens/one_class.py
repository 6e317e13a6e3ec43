"""One class: its findings, summary, captions, images and confusions."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static, TabbedContent, TabPane

from db import queries
from db.records import CaptionContrast, ClassName, Confusion, ErrorWord, Finding, Pmi, Sentence
from mapcap.text import counted
from tui.caption_lines import caption_lines
from tui.class_head import class_head
from tui.navigation import Among, OpenCaption, OpenImage, OpenVerdict
from tui.opened import Opened
from tui.screens.class_audit import ClassAuditScreen
from tui.thumbnail_pages import Page, images_page
from tui.widgets.captions_pane import CaptionsPane, Line
from tui.widgets.confusions_pane import ConfusionsPane
from tui.widgets.findings_pane import FindingsPane
from tui.widgets.images_pane import ImageQuery, ImagesPane
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows
from tui.widgets.summary_pane import Summaries, SummaryPane, choose
from tui.widgets.thumbs import Thumbs

_PAGE = 200
_TABS = ("findings", "summary", "captions", "images", "confusions")
_FIRST = {"summary": "#sentences", "captions": "#captions", "images": "#thumbs",
          "confusions": "#confusions"}  # fmt: skip


class ClassScreen(ClassAuditScreen):
    """A class in five tabs; it begins at its findings, at one of them if that is given."""

    HELP_TEXT = (
        "One class. Findings: what the audit holds to be the causes of the errors; left and right "
        "go through the pictures, enter lists them, v judges the finding, w shows the words that "
        "mark the errors, c the calibration. Summary: + and - change the length k, ] and [ the "
        "weight lambda of repetition; enter on a sentence shows the regions and images it came "
        "from. Captions count regions, and images of either outcome. Images: f all/errors/correct, "
        "w predicted as which class, m by verdict. Name read as: the pieces of the class's name, "
        "the more red the more they count for the model."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(n), f"tab('{tab}')", tab.title(), show=False, id=f"class.{tab}",
                tooltip=f"The tab {tab.title()}",
            )
            for n, tab in enumerate(_TABS, start=1)
        ),
        Binding("v,V", "verdict", "Verdict", id="class.verdict",
                tooltip="Judge the class, or the images picked by space"),
        Binding("y", "copy", "Copy", show=False, id="class.copy", tooltip="Copy the summary"),
    ]  # fmt: skip

    def __init__(
        self,
        opened: Opened,
        record: ClassName,
        finding: Finding | None = None,
        wrong_as: int | None = None,
    ) -> None:
        super().__init__(opened, record, finding)
        # It was opened for the images predicted as this class: to go back from them is to leave.
        self._wrong_as = wrong_as
        self._pmi: Pmi | None = None
        self._words = ""
        self._page: ImageQuery | None = None
        # The tab that one was led to from another, by what was opened there: (from, to).
        self._led: tuple[str, str] | None = None
        self._unled = wrong_as

    def compose(self) -> ComposeResult:
        """Lay out the tabs."""
        yield Static(id="title")
        labelled = not self.opened.run.unlabelled
        # Not turned to later: the focus on its way to the first tab would bring that back.
        initial = "findings-tab" if self._wrong_as is None else "images"
        with TabbedContent(id="tabs", initial=initial):
            with TabPane("1 Findings", id="findings-tab"):
                yield FindingsPane(self.opened.picture, labelled=labelled)
            with TabPane("2 Summary", id="summary"):
                yield SummaryPane(labelled=labelled, id="summary-pane")
            with TabPane("3 Captions", id="captions-tab"):
                yield CaptionsPane(labelled=labelled)
            with TabPane("4 Images", id="images"):
                yield ImagesPane(self.opened.picture, labelled=labelled)
            with TabPane("5 Confusions", id="confusions-tab"):
                yield ConfusionsPane()
        yield Keys()

    def on_mount(self) -> None:
        """Begin at the summary that the run was made for."""
        if self.opened.run.unlabelled:
            self.query_one(TabbedContent).hide_tab("confusions-tab")
        self.query_one(SummaryPane).begin(self.opened.run.config)
        self.reload()

    def reload(self) -> None:
        """Ask again for all tabs."""
        engine, class_id = self.opened.engine, self.record.id
        self.ask(
            "title",
            lambda: class_head(self.opened, class_id),
            self.query_one("#title", Static).update,
        )
        self.ask("pmi", lambda: queries.pmi(engine, class_id), self._got_pmi)
        self.ask("confusions", lambda: queries.confusions(engine, class_id), self._got_confusions)
        self.ask_audit()
        self._ask_captions(keep=True)
        if self.query_one(Thumbs).size.width:
            self._ask_images()

    # Summary

    def _got_pmi(self, pmi: Pmi | None) -> None:
        self._pmi = pmi
        self.on_summary_pane_reselect()

    def on_summary_pane_reselect(self) -> None:
        """Choose the sentences again."""
        pane, pmi = self.query_one(SummaryPane), self._pmi
        if pmi is None:
            pane.show(Summaries(), None)
            return
        k, redundancy = pane.k, pane.redundancy
        engine = self.opened.engine
        self.ask(
            "choose",
            lambda: choose(engine, pmi, k, redundancy),
            lambda summaries: pane.show(summaries, pmi),
        )

    # Captions

    def on_captions_pane_searched(self, message: CaptionsPane.Searched) -> None:
        """Search the captions, or list them all again."""
        self._words = message.words
        self._ask_captions(keep=False)

    def _ask_captions(self, *, keep: bool, after: tuple[int, int] | None = None) -> None:
        shown = len(self.query_one("#captions", Rows).records) if keep and after is None else 0
        self.ask(
            "captions",
            partial(
                caption_lines, self.opened, self.record.id, self._words, after, max(_PAGE, shown)
            ),
            partial(self._got_captions, after, keep),
        )

    def _got_captions(self, after: tuple[int, int] | None, keep: bool, lines: list[Line]) -> None:
        pane = self.query_one(CaptionsPane)
        if after is None:
            pane.show(lines, keep=keep)
        else:
            pane.query_one(Rows).extend(lines)

    def on_rows_near_end(self, message: Rows.NearEnd) -> None:
        """Ask for the next page of captions."""
        records = message.rows.records
        if message.rows.id != "captions" or self._words or not records or len(records) % _PAGE:
            return
        last = records[-1].caption
        self._ask_captions(keep=True, after=(last.count, last.caption_id))

    # Images

    def on_images_pane_wanted(self) -> None:
        """Ask for a page of images."""
        self._ask_images()

    def _ask_images(self) -> None:
        wanted = self.query_one(ImagesPane).wanted
        keep, self._page = wanted == self._page, wanted
        self.ask(
            "images",
            lambda: images_page(self.opened, self.record.id, wanted),
            partial(self._got_images, keep),
        )

    def _got_images(self, keep: bool, page: Page) -> None:
        pane = self.query_one(ImagesPane)
        self.call_next(partial(pane.show, page.tiles, page.total, keep=keep))

    def on_thumbs_chosen(self, message: Thumbs.Chosen) -> None:
        """Open an image, among those that are shown."""
        wanted = self.query_one(ImagesPane).wanted
        among = Among(wanted.show, wanted.wrong_as, wanted.descending)
        self.post_message(OpenImage(self.opened, message.image.id, among))

    # Confusions

    def _got_confusions(self, confusions: list[Confusion]) -> None:
        self.query_one(ConfusionsPane).show(confusions)
        self.query_one(ImagesPane).confusions = confusions
        wanted, self._unled = self._unled, None
        for confusion in confusions:
            if confusion.predicted_class_id == wanted:
                self.query_one(ImagesPane).narrow(confusion)

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Show how the captions of a confusion differ."""
        if message.rows.id == "confusions":
            confusion: Confusion = message.record

            def show(contrasts: list[CaptionContrast]) -> None:
                self.query_one(ConfusionsPane).contrast(confusion, contrasts)

            wrong = confusion.predicted_class_id
            engine, class_id = self.opened.engine, self.record.id
            self.ask("contrast", lambda: queries.caption_contrasts(engine, class_id, wrong), show)

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open what stands behind a sentence, a caption or a confusion."""
        record = message.record
        if isinstance(record, Confusion):
            self.query_one(ImagesPane).narrow(record)
            self._lead("confusions", "images")
        elif isinstance(record, ErrorWord):
            self.query_one("#words", Input).value = record.word
            self._lead("findings", "captions")
        else:
            if isinstance(record, Line):
                record = record.caption
            ids = record.caption_ids if isinstance(record, Sentence) else (record.caption_id,)
            self.post_message(OpenCaption(self.opened, ids, record.text, self.record.id))

    def _lead(self, start: str, end: str) -> None:
        self._led = (start, end)
        self.action_tab(end)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no confusions where nobody knows the errors."""
        return not (parameters == ("confusions",) and self.opened.run.unlabelled)

    def action_tab(self, tab: str) -> None:
        """Show a tab."""
        bare = tab in ("summary", "images")
        self.query_one(TabbedContent).active = tab if bare else f"{tab}-tab"

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Go into the tab that is shown now, however it was chosen."""
        if event.tabbed_content.active != event.pane.id:
            # Left again meanwhile: to focus what is in it would bring it back.
            return
        tab = (event.pane.id or "").removesuffix("-tab")
        if self._led is not None and tab != self._led[1]:
            self._led = None
        if tab == "findings":
            self.query_one(FindingsPane).focus_first()
        else:
            self.query_one(_FIRST[tab]).focus()

    def action_back(self) -> None:
        """Go one step back: out of the search box, a filter, a view, or the screen."""
        box, findings = self.query_one("#words", Input), self.query_one(FindingsPane)
        images, active = self.query_one(ImagesPane), self.query_one(TabbedContent).active
        came_for = images.wrong_as is not None and images.wanted.wrong_as == self._wrong_as
        if self._led is not None and self.focused is not box:
            start, end = self._led
            if end == "images":
                images.reset()
            else:
                box.value = ""
            self.action_tab(start)
        elif self.focused is box or (active == "captions-tab" and self._words):
            box.value = ""
            self.query_one("#captions").focus()
        elif active == "images" and images.narrowed and not came_for:
            images.reset()
        elif findings.has_focus_within and findings.view != "browser":
            findings.view = "browser"
        else:
            super().action_back()

    def action_verdict(self) -> None:
        """Judge the images that are picked, else the class."""
        thumbs = self.query_one("#images Thumbs", Thumbs)
        if thumbs.picking:
            paths = [image.path for image in thumbs.picked]
            shown = f"{counted(len(paths), 'image')} of {self.record.name}"
            self.post_message(OpenVerdict(self.opened, "image", paths, shown))
            return
        record = self.record
        self.post_message(OpenVerdict(self.opened, "class", [record.label], record.name))

    def action_copy(self) -> None:
        """Copy the name of the class and its sentences."""
        chosen: list[Sentence] = self.query_one("#sentences", Rows).records
        self.copy("\n".join([self.record.name, *(each.text for each in chosen)]))
