"""Where a caption stands: its regions and their images."""

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from db import queries
from db.records import Region
from tui.opened import Opened
from tui.screens.regions import PAGE, RegionsScreen
from tui.texts import safe
from tui.widgets.record_table import Rows
from tui.widgets.region_list import RegionRow


class PlacesScreen(RegionsScreen):
    """The regions that have a caption, of the whole run; or one of some, of a class."""

    HELP_TEXT = "The regions that have this caption. Enter opens the image of one."

    def __init__(
        self,
        opened: Opened,
        caption_ids: Sequence[int],
        text: str,
        class_id: int | None = None,
    ) -> None:
        super().__init__(opened)
        self._caption_ids = caption_ids
        self._text = text
        self._class_id = class_id

    def on_mount(self) -> None:
        """Ask for the regions."""
        title = Text.assemble(("regions captioned ", "dim"), safe(self._text, "bold"))
        copies = len(self._caption_ids) - 1
        if copies:
            title.append(f" and {copies} near cop{'y' if copies == 1 else 'ies'}", style="dim")
        self.query_one("#title", Static).update(title)
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask again for as many regions as are shown."""
        shown = max(PAGE, len(self.query_one(Rows).records))
        self.ask("regions", lambda: self._page(0, shown), self.show_regions)

    def _page(self, after: int, limit: int) -> list[Region]:
        engine, ids = self.opened.engine, self._caption_ids
        if self._class_id is None:
            return queries.regions_of_caption(engine, ids[0], after=after, limit=limit)
        return queries.caption_regions(
            engine, ids, class_id=self._class_id, after=after, limit=limit
        )

    def on_rows_near_end(self, message: Rows.NearEnd) -> None:
        """Ask for the next page."""
        records: list[RegionRow] = message.rows.records
        if records and len(records) % PAGE == 0:
            after = records[-1].region.id
            self.ask(
                "regions",
                lambda: [RegionRow(region) for region in self._page(after, PAGE)],
                self.query_one(Rows).extend,
            )
