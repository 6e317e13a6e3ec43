"""Regions like one region, by their embeddings, over the whole run."""

from functools import partial

from rich.text import Text
from textual.widgets import Static

from db import queries
from db.records import Region
from tui.nearest import Nearest, nearest
from tui.opened import Opened
from tui.screens.regions import PAGE, RegionsScreen
from tui.texts import safe
from tui.widgets.record_table import Rows
from tui.widgets.region_list import RegionList, RegionRow


class NeighboursScreen(RegionsScreen):
    """The nearest regions of other images, the most alike first."""

    COSINES = True
    HELP_TEXT = (
        "Regions of the whole run, the most alike first, by the cosine of their embeddings. "
        "Enter opens the image of one."
    )

    def __init__(self, opened: Opened, region: Region) -> None:
        super().__init__(opened)
        self._region = region

    def on_mount(self) -> None:
        """Begin the search."""
        self._tell(None)
        self.query_one(Rows).focus()
        # Once: `reload` does not repeat what may have read millions of embeddings.
        self.ask("search", self._search, self._show)

    def _search(self) -> tuple[list[RegionRow], int]:
        """Compare embeddings, and show what is alike in the region's own block before going on.

        StoreError if they cannot be read.
        """
        engine, kind, own = self.opened.engine, self.opened.representation, self._region.id
        exact = partial(queries.region_features, engine, representation=kind)
        query = exact([own])
        if not query.ids.size:
            return [], 0
        parts = partial(queries.region_codes, engine, self.opened.run.id, kind, first=own)

        def begun(found: Nearest) -> None:
            self.call_later(self._show_first, self._rows(found))

        # One image has a few regions of each role; they are skipped below.
        found = nearest(parts, exact, query.vectors[0], PAGE + 16, begun)
        return self._rows(found), found.searched

    def _rows(self, found: Nearest) -> list[RegionRow]:
        cosines = dict(zip(found.ids.tolist(), found.cosines.tolist(), strict=True))
        regions = queries.regions_by_id(self.opened.engine, list(cosines))
        others = [region for region in regions if region.image_id != self._region.image_id]
        return [RegionRow(region, cosines[region.id]) for region in others[:PAGE]]

    def _show_first(self, rows: list[RegionRow]) -> None:
        self.query_one(RegionList).show(rows)

    def _show(self, answer: tuple[list[RegionRow], int]) -> None:
        rows, searched = answer
        self._tell(searched)
        self.query_one(RegionList).show(rows)

    def _tell(self, searched: int | None) -> None:
        title = Text.assemble(
            ("regions like ", "dim"),
            safe(self._region.caption or "this one", "bold", longest=50),
            (" of ", "dim"),
            safe(self._region.class_name, "bold", longest=40),
        )
        if searched is None:
            title.append("   searching …", style="yellow")
        elif searched:
            title.append(f"   {searched:,} regions searched", style="dim")
        else:
            title.append("   this region has no embedding yet", style="yellow")
        self.query_one("#title", Static).update(title)
