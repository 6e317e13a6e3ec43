"""Finding a class or an image by what a person typed; the nearest names where there is none."""

from sqlalchemy import Engine

from db import queries
from db.errors import StoreError
from db.records import ClassName, Image
from mapcap.errors import UserError, nearest

_COMPARED = 20_000
"""Image names that are compared with a mistyped one: it takes a moment each."""


def find_class(engine: Engine, run_id: int, name: str, option: str = "") -> ClassName:
    """Return the class of that name or label; `option` is what it was given with, if any.

    Raises:
        UserError: no class has it; names the nearest.
        StoreError: several classes have it.
    """
    classes = queries.classes(engine, run_id)
    names = {text for record in classes for text in (record.name, record.label)}
    if name.casefold() in {text.casefold() for text in names}:
        return queries.class_by_name(engine, run_id, name)
    hint = nearest(name, sorted(names)) or "`mapcap classes` lists them."
    where = f"{option}: " if option else ""
    raise UserError(f"{where}run {run_id} has no class {name}. {hint}")


def find_image(engine: Engine, run_id: int, path: str) -> Image:
    """Return the image of that path, or the only one whose path ends in it.

    Raises:
        UserError: no image has it; names the nearest.
        StoreError: several images have it.
    """
    try:
        return queries.image_by_path(engine, run_id, path)
    except StoreError:
        holding = [image.path for image in queries.search_images(engine, run_id, path, limit=3)]
        hint = nearest(path, holding) or nearest(path, _some_names(engine, run_id))
        if not hint or any(held == path or held.endswith(f"/{path}") for held in holding):
            raise
    raise UserError(f"run {run_id} has no image {path}. {hint}")


def _some_names(engine: Engine, run_id: int) -> list[str]:
    """Return the paths of a run and their last parts; of a large run none."""
    paths = queries.image_paths(engine, run_id, _COMPARED + 1)
    if len(paths) > _COMPARED:
        return []
    return sorted({*paths, *(path.rpartition("/")[2] for path in paths)})
