"""One image: the photo, where the model looked for each class, and what it saw there."""

from typing import ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from db import queries
from db.records import ROLES, Image, Region, Role
from mapcap.text import clean
from tui.image_view import ImageContent, draw_frames, ink, read_content, role_name
from tui.navigation import Among, OpenSimilar, OpenVerdict
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import bar, safe
from tui.viewer import photo_file, view
from tui.widgets.class_card import verdict_line
from tui.widgets.keys import Keys
from tui.widgets.picture_row import Frames
from tui.widgets.record_table import Column, Rows

_STEP = 0.1
# The audit keeps fewer; a file may hold more.
_MOST_LISTED = 1000


class ImageScreen(BrowseScreen):
    """The photo, its overlays, its regions with captions, and its best classes."""

    HELP_TEXT = (
        "One image. Beside the photo stand the relevance for the true class, for the predicted "
        "class, and for predicted minus true (what speaks for the error). Outlined regions carry "
        "captions; enter on one finds regions like it in the whole run. o shows one picture as "
        "large as the screen, x the photo itself."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "step(1)", "Next", id="image.next", tooltip="Next image"),
        Binding("p,left", "step(-1)", "Prev", id="image.previous", tooltip="Image before"),
        Binding("w", "next_wrong", "Next error", id="image.wrong",
                tooltip="Next misclassified image"),
        Binding("o", "turn", "Large", id="image.view",
                tooltip="One picture as large as the screen, then the next"),
        Binding("x", "view", "Photo", id="image.photo",
                tooltip="The photo in the system's viewer"),
        Binding("v", "verdict", "Verdict", id="image.verdict", tooltip="Judge the image"),
        Binding("plus,equals_sign", "strength(1)", "Overlay", id="image.more",
                tooltip="More relevance over the photo"),
        Binding("minus", "strength(-1)", "Weaker", show=False, id="image.less",
                tooltip="Less relevance over the photo"),
        Binding("y", "copy", "Copy path", show=False, id="image.copy",
                tooltip="Copy the path of the photo"),
    ]  # fmt: skip

    def __init__(self, opened: Opened, image_id: int, among: Among) -> None:
        super().__init__(opened)
        self._image_id = image_id
        self._among = among
        self._strength = 0.6
        self._role: Role = "true"
        self.image_content: ImageContent | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="title")
        yield Frames(self.opened.picture, id="frames")
        with Horizontal(id="facts"):
            yield Static(id="top")
            columns: list[Column[Region]] = [
                Column("ink", "", 2, lambda r, w: Text("██", style=ink(r))),
                Column("role", "for", 9, self._role_cell, rank=1),
                Column("text", "region", 12, _caption, wide=True),
                Column(
                    "mass", "mass", 5, lambda r, w: Text(f"{r.mass_share:.2f}"), right=True, rank=2
                ),
            ]
            yield Rows[Region](columns, lambda r: r.id, empty="no regions", id="regions")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for the image."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the image again."""
        opened, image_id = self.opened, self._image_id
        self.ask("image", lambda: read_content(opened, image_id), self._show)

    def _role_cell(self, region: Region, width: int) -> Text:
        content = self.image_content
        return Text(region.role if content is None else role_name(content.image, region.role))

    def _show(self, content: ImageContent) -> None:
        self.image_content = content
        self.query_one("#title", Static).update(_title(content, self.opened))
        self.query_one("#top", Static).update(_top(content))
        self.query_one(Rows).fill(
            sorted(content.regions, key=lambda each: (ROLES.index(each.role), each.rank))
        )
        self._draw()

    def _draw(self) -> None:
        content, strength, role = self.image_content, self._strength, self._role
        if content is not None:
            self.ask(
                "draw", lambda: draw_frames(content, strength, role), self.query_one(Frames).show
            )

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Outline the regions of the map that the region under the cursor comes from."""
        if message.record.role != self._role:
            self._role = message.record.role
            self._draw()

    def action_strength(self, step: int) -> None:
        """Lay the relevance on more or less strongly."""
        self._strength = round(min(1.0, max(0.0, self._strength + step * _STEP)), 1)
        self._draw()

    def action_turn(self) -> None:
        """Show one picture as large as the screen, then the next, then all of them."""
        self.query_one(Frames).turn()
        self._divide()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go on to the next error only where errors are known."""
        return not (action == "next_wrong" and self.opened.run.unlabelled)

    def _divide(self) -> None:
        alone = self.query_one(Frames).alone
        self.set_class(alone, "-alone")
        if not alone:
            self.query_one(Rows).focus()

    def action_back(self) -> None:
        """Show all pictures again, or leave the image."""
        if self.query_one(Frames).alone:
            self.query_one(Frames).together()
            self._divide()
        else:
            super().action_back()

    def action_view(self) -> None:
        """Open the photo in the system's viewer, and copy its path."""
        if self.image_content is not None:
            file = photo_file(self.image_content.image, self.opened.photos)
            self.app.copy_to_clipboard(str(file))
            self.ask("view", lambda: view(file), self._announce)

    def _announce(self, text: str) -> None:
        self.notify(clean(text), timeout=6, markup=False)

    def action_step(self, step: Literal[-1, 1]) -> None:
        """Go to the next image or the one before."""
        self._go(self._among, step)

    def action_next_wrong(self) -> None:
        """Go to the next wrong image."""
        self._go(Among("wrong", self._among.wrong_as, self._among.descending), 1)

    def _go(self, among: Among, step: Literal[-1, 1]) -> None:
        if self.image_content is None:
            return
        image, engine = self.image_content.image, self.opened.engine

        def find() -> list[Image]:
            if among.finding_id is not None:
                images = queries.finding_images(engine, among.finding_id, limit=_MOST_LISTED)
                return beside(images, image, step)
            return queries.images(
                engine,
                image.class_id,
                show=among.show,
                wrong_as=among.wrong_as,
                descending=among.descending != (step < 0),
                after=(image.margin, image.id),
                limit=1,
            )

        self.ask("step", find, self._gone)

    def _gone(self, images: list[Image]) -> None:
        if not images:
            self.notify("no further images", timeout=2, markup=False)
            return
        self._image_id = images[0].id
        self.reload()

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Find regions like the one opened."""
        self.post_message(OpenSimilar(self.opened, message.record))

    def action_verdict(self) -> None:
        """Judge the image."""
        if self.image_content is not None:
            path = self.image_content.image.path
            self.post_message(OpenVerdict(self.opened, "image", [path], path))

    def action_copy(self) -> None:
        """Copy the path."""
        if self.image_content is not None:
            self.copy(str(photo_file(self.image_content.image, self.opened.photos)))


def beside(images: list[Image], image: Image, step: int) -> list[Image]:
    """Return the image so many steps from another in a list, none past its ends."""
    place = next((i for i, each in enumerate(images) if each.id == image.id), -1) + step
    return images[place : place + 1] if place >= 0 else []


def _caption(region: Region, width: int) -> Text:
    return safe(region.caption) if region.caption else Text("no caption yet", style="dim")


def _title(content: ImageContent, opened: Opened) -> Text:
    image, verdict = content.image, opened.of_image(content.image)
    text = Text.assemble(safe(image.class_name, "bold", longest=60))
    if image.unlabelled:
        text.append("  as predicted  ")  # nobody labelled it
    if image.correct is not None:
        mark = ("  ✓ correct", "green") if image.correct else ("  ✗ predicted as ", "red")
        text.append(*mark)
        if not image.correct:
            text += safe(image.predicted_name, "bold red", longest=60)
        if image.true_probability is not None:
            text.append(f"  p(true) {image.true_probability:.2f}")
        if image.true_rank is not None:
            text.append(f"  rank {image.true_rank}")
        if image.margin is not None:
            text.append(f"  margin {image.margin:+.2f}")
        text.append("  ")
    if image.witness_name is not None:
        text += Text("the CLIP says ", style="cyan") + safe(image.witness_name, "cyan", longest=60)
    text.append("\n")
    text += safe(image.path, "dim", longest=200)
    text += Text("  ") + safe((image.content_hash or "")[:12], "dim")
    if verdict is not None:
        text += Text("  ") + verdict_line(verdict)
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _top(content: ImageContent) -> Text:
    lines = [Text("best classes", style="bold")]
    for candidate in content.top:
        right = candidate.class_id == content.image.class_id
        name = safe(candidate.name, "green bold" if right else "", longest=60)
        name.truncate(14, overflow="ellipsis", pad=True)
        if candidate.probability is not None:
            line = bar(candidate.probability, 8, "green" if right else "red")
            name += Text(f" {candidate.probability:.2f} ") + line
        lines.append(name)
    if len(lines) == 1:
        lines.append(Text("not predicted yet", style="dim"))
    # On a narrow terminal the bars are cut off.
    return Text("\n", no_wrap=True, overflow="crop").join(lines)
