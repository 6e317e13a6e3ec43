"""What the screens that list findings do alike: read the evidence, and lead to it."""

from functools import partial

from db import queries
from db.records import ClassName, Finding, Run, Stage
from db.verdicts import Mark
from tui.navigation import Among, OpenClass, OpenFinding, OpenImage, OpenVerdict
from tui.opened import finding_name
from tui.screens.base import BrowseScreen
from tui.thumbnail_pages import evidence_page
from tui.widgets.findings_browser import FindingsBrowser


class FindingsScreen(BrowseScreen):
    """A screen with one `FindingsBrowser`."""

    def on_findings_browser_wanted(self, message: FindingsBrowser.Wanted) -> None:
        """Read and draw a page of evidence."""
        opened, browser = self.opened, self.query_one(FindingsBrowser)
        finding, offset = message.finding, message.offset
        self.ask(
            "evidence",
            lambda: evidence_page(opened, finding, offset, message.limit),
            lambda page: self.call_next(
                partial(browser.show_pictures, finding, offset, page.tiles, page.total)
            ),
        )

    def on_findings_browser_chosen(self, message: FindingsBrowser.Chosen) -> None:
        """Open the list of what a finding rests on."""
        finding = message.finding
        if finding.regions and not message.images:
            self.post_message(OpenFinding(self.opened, finding, images=False))
        elif finding.images:
            self.post_message(OpenFinding(self.opened, finding, images=True))
        else:
            self.open_other_class(finding)

    def open_other_class(self, finding: Finding) -> None:
        """Open the class that a finding without evidence of its own points to."""
        other = finding.figures.get("class_id")
        if not isinstance(other, int):
            self.notify("this finding has no pictures", timeout=3, markup=False)
            return
        opened = self.opened

        def show(record: ClassName) -> None:
            self.post_message(OpenClass(opened, record, finding))

        self.ask("other", lambda: queries.class_record(opened.engine, other), show)

    def on_findings_browser_image_opened(self, message: FindingsBrowser.ImageOpened) -> None:
        """Open an image, among those of its finding."""
        among = Among(finding_id=message.finding.id)
        self.post_message(OpenImage(self.opened, message.image.id, among))

    def on_findings_browser_judged(self, message: FindingsBrowser.Judged) -> None:
        """Ask for the verdict on a finding."""
        finding, opened = message.listed.finding, self.opened
        name = finding_name(message.listed.label, finding)
        self.post_message(
            OpenVerdict(opened, "finding", [name.key], finding.title, title=name.title)
        )

    def on_findings_browser_copied(self, message: FindingsBrowser.Copied) -> None:
        """Copy a finding."""
        self.copy(message.text)

    def judged(self, label: str, finding: Finding) -> Mark | None:
        """Return the verdict on a finding of the class called `label`."""
        verdict = self.opened.of_finding(label, finding)
        return None if verdict is None else verdict.mark

    def on_findings_browser_doubted(self, message: FindingsBrowser.Doubted) -> None:
        """Offer the verdict that an image's label is wrong."""
        path = message.image.path
        self.post_message(OpenVerdict(self.opened, "image", [path], path, "label wrong"))


def why_missing(what: str, stage_name: str, hint: str, run: Run, stages: list[Stage]) -> str:
    """Say why a run lacks what a stage makes, and what to do: `hint` where nothing runs."""
    by_name = {stage.name: stage for stage in stages}
    required = by_name.get(stage_name)
    if required is not None and required.status == "running" and run.status == "running":
        return f"no {what} yet: {required.done} of {required.total} {stage_name} done"
    now = next((stage for stage in stages if stage.status == "running"), None)
    if run.status == "running":
        where = f" is at {now.name} {now.done}/{now.total}" if now is not None else " runs"
        return f"no {what} yet: the job{where}; it will appear when that stage finishes"
    return f"no {what} yet: {hint}"
