"""What the screens that list regions do alike."""

from PIL.Image import Image as Picture
from textual.app import ComposeResult
from textual.widgets import Static

from db import queries
from db.records import Region
from mapcap.overlay import decode, original, outlines
from tui.navigation import Among, OpenImage
from tui.screens.base import BrowseScreen
from tui.texts import REGION_COLOURS
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows
from tui.widgets.region_list import RegionList, RegionRow

PAGE = 100


class RegionsScreen(BrowseScreen):
    """A list of regions; each leads to its image."""

    COSINES = False

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="title")
        yield RegionList(self.opened.picture, cosines=self.COSINES)
        yield Keys()

    def show_regions(self, regions: list[Region]) -> None:
        """List regions, in place of those listed before."""
        self.query_one(RegionList).show([RegionRow(region) for region in regions])

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Show where the region under the cursor is."""
        region: Region = message.record.region
        opened, shown = self.opened, self.query_one(RegionList)

        def draw() -> Picture | None:
            image = queries.image(opened.engine, region.image_id)
            photo = original(image, opened.photos) or decode(
                queries.thumbnails(opened.engine, [image.id]).get(image.id)
            )
            if photo is None:
                return None
            return outlines(photo, [region], REGION_COLOURS[:1], opened.run.resize_mode)

        self.ask("picture", draw, lambda drawn: shown.picture(region, drawn))

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open the image of a region."""
        self.post_message(OpenImage(self.opened, message.record.region.image_id, Among()))
