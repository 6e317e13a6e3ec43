"""Regions like one region, by their embeddings, over the whole run."""

from collections.abc import Callable, Iterable
from functools import partial

from rich.text import Text
from textual.widgets import Static

from db import queries
from db.records import Codes, Region, Vectors
from tui.nearest import nearest
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
        self.ask("search", self._search_near, self._show_first)

    def _show_first(self, answer: tuple[list[RegionRow], int]) -> None:
        """Show what is alike among the region's own block, and go on to all."""
        self.query_one(RegionList).show(answer[0])
        self.ask("search", self._search_all, self._show)

    def _search_near(self) -> tuple[list[RegionRow], int]:
        opened, region = self.opened, self._region.id
        near = queries.codes_beyond(
            opened.engine, opened.run.id, opened.representation, after=region - 1
        )
        return self._search(lambda: [] if near is None else [near[1]])

    def _search_all(self) -> tuple[list[RegionRow], int]:
        opened = self.opened
        return self._search(
            lambda: queries.region_codes(opened.engine, opened.run.id, opened.representation)
        )

    def _search(
        self, parts: Callable[[], Iterable[Codes | Vectors]]
    ) -> tuple[list[RegionRow], int]:
        """Compare embeddings; StoreError if they cannot be read."""
        engine = self.opened.engine
        exact = partial(queries.region_features, engine, representation=self.opened.representation)
        query = exact([self._region.id])
        if not query.ids.size:
            return [], 0
        # One image has a few regions of each role; they are skipped below.
        neighbours = nearest(parts, exact, query.vectors[0], PAGE + 16)
        cosines = dict(zip(neighbours.ids.tolist(), neighbours.cosines.tolist(), strict=True))
        regions = queries.regions_by_id(engine, list(cosines))
        others = [region for region in regions if region.image_id != self._region.image_id]
        rows = [RegionRow(region, cosines[region.id]) for region in others[:PAGE]]
        return rows, neighbours.searched

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
