"""All that the screen of an image shows, read and drawn."""

from dataclasses import dataclass

from PIL.Image import Image as Picture
from rich.text import Text

from db import queries
from db.records import ROLES, Image, Region, Relevance, Role, TopClass
from mapcap.overlay import decode, original, outlines, overlay, square
from tui.opened import Opened
from tui.texts import REGION_COLOURS, safe
from tui.widgets.picture_row import Frame


@dataclass(frozen=True)
class ImageContent:
    """All that is shown of an image."""

    image: Image
    photo: Picture | None
    is_original: bool
    resize_mode: str
    maps: dict[Role, Relevance]
    regions: list[Region]
    top: list[TopClass]


def read_content(opened: Opened, image_id: int) -> ImageContent:
    """Read all that is shown of an image."""
    engine = opened.engine
    image = queries.image(engine, image_id)
    full = original(image, opened.photos)
    photo = full or decode(queries.thumbnails(engine, [image_id]).get(image_id))
    return ImageContent(
        image,
        photo,
        full is not None,
        opened.run.resize_mode,
        queries.relevances(engine, [image_id])[image_id],
        queries.regions(engine, image_id),
        queries.top_classes(engine, image_id),
    )


def draw_frames(content: ImageContent, strength: float, role: Role) -> list[Frame]:
    """Draw the pictures of an image: the photo with the regions of a role, and every map."""
    if content.photo is None:
        why = content.image.error or "no picture is stored"
        return [Frame(safe(why, "yellow"), None)]
    shown = [region for region in content.regions if region.role == role]
    outlined = outlines(
        content.photo, shown, [ink(region) for region in shown], content.resize_mode
    )
    kind = "photo" if content.is_original else "thumbnail"
    regions_of = f"regions for {role_name(content.image, role)}"
    about = f"{kind}, {regions_of if content.maps else 'no map yet'}"
    frames = [Frame(Text(about), outlined)]
    for map_role in ROLES:
        relevance = content.maps.get(map_role)
        if relevance is None:
            continue
        target = safe(relevance.target_name, "bold", longest=40)
        title = Text.assemble((f"{role_name(content.image, map_role)}: ", "dim"), target)
        if relevance.raw_max <= 0:
            title.append(" (all zero)", "yellow")
            frames.append(Frame(title, square(content.photo, content.resize_mode)))
            continue
        overlaid = overlay(content.photo, relevance.grid, strength, content.resize_mode)
        frames.append(Frame(title, overlaid, f" max {relevance.raw_max:.1e}"))
    return frames


def role_name(image: Image, role: Role) -> str:
    """Return what a map is for; without a label the class of an image is the predicted one."""
    return "predicted" if image.unlabelled else role


def ink(region: Region) -> str:
    """Return the colour of a region's outline."""
    return REGION_COLOURS[(region.rank - 1) % len(REGION_COLOURS)]
