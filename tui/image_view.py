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
class Seen:
    """All that is shown of an image."""

    image: Image
    photo: Picture | None
    is_original: bool
    resize_mode: str
    maps: dict[Role, Relevance]
    regions: list[Region]
    top: list[TopClass]


def see(opened: Opened, image_id: int) -> Seen:
    """Read all that is shown of an image."""
    engine = opened.engine
    image = queries.image(engine, image_id)
    full = original(image, opened.photos)
    photo = full or decode(queries.thumbnails(engine, [image_id]).get(image_id))
    return Seen(
        image,
        photo,
        full is not None,
        opened.run.resize_mode,
        queries.relevances(engine, [image_id])[image_id],
        queries.regions(engine, image_id),
        queries.top_classes(engine, image_id),
    )


def draw_frames(seen: Seen, strength: float, role: Role) -> list[Frame]:
    """Draw the pictures of an image: the photo with the regions of a role, and every map."""
    if seen.photo is None:
        why = seen.image.error or "no picture is stored"
        return [Frame(safe(why, "yellow"), None)]
    shown = [region for region in seen.regions if region.role == role]
    outlined = outlines(seen.photo, shown, [ink(region) for region in shown], seen.resize_mode)
    kind = "photo" if seen.is_original else "thumbnail"
    about = f"{kind}, regions for {role}" if seen.maps else f"{kind}, no map yet"
    frames = [Frame(Text(about), outlined)]
    for each in ROLES:
        relevance = seen.maps.get(each)
        if relevance is None:
            continue
        target = safe(relevance.target_name, "bold", longest=40)
        title = Text.assemble((f"{each}: ", "dim"), target)
        if relevance.raw_max <= 0:
            title.append(" (all zero)", "yellow")
            frames.append(Frame(title, square(seen.photo, seen.resize_mode)))
            continue
        title.append(f" max {relevance.raw_max:.1e}", style="dim")
        laid = overlay(seen.photo, relevance.grid, strength, seen.resize_mode)
        frames.append(Frame(title, laid))
    return frames


def ink(region: Region) -> str:
    """Return the colour of a region's outline."""
    return REGION_COLOURS[(region.rank - 1) % len(REGION_COLOURS)]
