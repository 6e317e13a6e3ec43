"""Images with their predictions, pictures and relevance maps."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db import schema
from db.errors import StoreError
from db.records import Image, Place, Relevance, Role, Show, TopClass
from db.sql import Query, columns_of, contains, in_ids, in_texts, judged, records

_PAGE: Final = 1000
_predicted, _witness = aliased(schema.ClassName), aliased(schema.ClassName)
IMAGE: Query = (
    select(
        *columns_of(
            Image,
            schema.Image,
            schema.Prediction,
            class_name=schema.ClassName.name,
            correct=judged(),
            predicted_name=_predicted.name,
            witness_name=_witness.name,
            witness_probability=schema.Witness.probability,
        )
    )
    .join(schema.ClassName, schema.ClassName.id == schema.Image.class_id)
    .outerjoin(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
    .outerjoin(_predicted, _predicted.id == schema.Prediction.predicted_class_id)
    .outerjoin(schema.Witness, schema.Witness.image_id == schema.Image.id)
    .outerjoin(_witness, _witness.id == schema.Witness.predicted_class_id)
)

RELEVANCE: Query = select(
    *columns_of(Relevance, schema.Relevance, target_name=schema.ClassName.name)
).join(schema.ClassName, schema.ClassName.id == schema.Relevance.target_class_id)


def _all(connection: Connection, query: Query) -> list[Image]:
    return records(Image, connection.execute(query))


def fetch_images(engine: Engine, query: Query) -> list[Image]:
    """Run a query built on `IMAGE`."""
    with engine.connect() as connection:
        return _all(connection, query)


def images(
    engine: Engine,
    class_id: int,
    *,
    show: Show = "all",
    wrong_as: int | None = None,
    only: Collection[int] | None = None,
    without: Collection[int] = (),
    descending: bool = False,
    after: Place | None = None,
    limit: int = 100,
) -> list[Image]:
    """Return a page of a class's images by margin, the worst first unless `descending`.

    `wrong_as` keeps those that were predicted as that class, `only` those of these ids; `without`
    leaves some out. `after` is the (margin, id) of the last image of the page before. Images
    without a margin, predicted or not, end the list in both directions, by id.
    """
    page: list[Image] = []
    kept = partial(_kept, only=only, without=without)
    with engine.connect() as connection:
        if after is None or after[0] is not None:
            page = _by_margin(connection, class_id, show, wrong_as, kept, descending, after, limit)
        if len(page) < limit:
            past = after[1] if after is not None and after[0] is None else None
            rest = limit - len(page)
            page += _without_margin(
                connection, class_id, show, wrong_as, kept, descending, past, rest
            )
    return page


def count_images(
    engine: Engine,
    class_id: int,
    *,
    show: Show = "all",
    wrong_as: int | None = None,
    only: Collection[int] | None = None,
    without: Collection[int] = (),
) -> int:
    """Return how many images `images` would list on all its pages."""
    narrowed = wrong_as is not None or show != "all"
    column = schema.Prediction.image_id if narrowed else schema.Image.id
    owner = schema.Prediction.class_id if narrowed else schema.Image.class_id
    query = select(func.count()).where(owner == class_id, *_kept(column, only, without))
    query = query.where(*_of_outcome(show, wrong_as))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


_Column = InstrumentedAttribute[int]


def every_image(engine: Engine, class_id: int, show: Show = "all") -> Iterator[Image]:
    """Yield the images that `images` lists on all its pages."""
    page = images(engine, class_id, show=show, limit=_PAGE)
    while page:
        yield from page
        after = (page[-1].margin, page[-1].id)
        page = images(engine, class_id, show=show, after=after, limit=_PAGE)


def _kept(
    column: _Column, only: Collection[int] | None, without: Collection[int]
) -> list[ColumnElement[bool]]:
    kept = [] if only is None else [in_ids(column, only)]
    return [*kept, ~in_ids(column, without)] if without else kept


def _of_outcome(show: Show, wrong_as: int | None) -> list[ColumnElement[bool]]:
    """Return what narrows images to those predicted as a class, or to the correct or wrong ones."""
    if wrong_as is not None:
        return [schema.Prediction.predicted_class_id == wrong_as]
    return [] if show == "all" else [schema.Prediction.correct.is_(show == "right")]


def _without_margin(
    connection: Connection,
    class_id: int,
    show: Show,
    wrong_as: int | None,
    kept: Callable[[_Column], list[ColumnElement[bool]]],
    descending: bool,
    past: int | None,
    limit: int,
) -> list[Image]:
    owner, number = schema.Image.class_id, schema.Image.id
    narrowed = wrong_as is not None or show != "all"
    if narrowed:
        owner, number = schema.Prediction.class_id, schema.Prediction.image_id
    page = IMAGE.where(owner == class_id, schema.Prediction.margin.is_(None), *kept(number))
    page = page.where(*_of_outcome(show, wrong_as))
    if past is not None:
        page = page.where(number < past if descending else number > past)
    order = number.desc() if descending else number.asc()
    return _all(connection, page.order_by(order).limit(limit))


def _by_margin(
    connection: Connection,
    class_id: int,
    show: Show,
    wrong_as: int | None,
    kept: Callable[[_Column], list[ColumnElement[bool]]],
    descending: bool,
    after: Place | None,
    limit: int,
) -> list[Image]:
    table = schema.Prediction
    place = tuple_(table.margin, table.image_id)
    page = select(table.image_id).where(
        table.class_id == class_id, table.margin.is_not(None), *kept(table.image_id)
    )
    page = page.where(*_of_outcome(show, wrong_as))
    if after is not None:
        page = page.where(place < after if descending else place > after)
    order: list[ColumnElement[Any]] = [table.margin.expression, table.image_id.expression]
    if descending:
        order = [column.desc() for column in order]
    # The page is found in an index alone, before anything is joined.
    chosen = page.order_by(*order).limit(limit)
    return _all(connection, IMAGE.where(schema.Image.id.in_(chosen)).order_by(*order))


def image(engine: Engine, image_id: int) -> Image:
    """Return an image; StoreError if there is none of that id."""
    with engine.connect() as connection:
        matches = _all(connection, IMAGE.where(schema.Image.id == image_id))
    if not matches:
        raise StoreError(f"the file has no image {image_id}: it may have been indexed again")
    return matches[0]


def image_by_path(engine: Engine, run_id: int, path: str) -> Image:
    """Return the image of that path, or the only one whose path ends in it; else StoreError."""
    ending = schema.Image.path.endswith("/" + path[:1000], autoescape=True)
    with engine.connect() as connection:
        for condition in (schema.Image.path == path, ending):
            query = IMAGE.where(schema.Image.run_id == run_id, condition)
            matches = _all(connection, query.order_by(schema.Image.id).limit(2))
            if len(matches) == 1:
                return matches[0]
            if matches:
                raise StoreError(
                    f"several images are called {path}: give more of the path, "
                    f"for example {matches[0].path}"
                )
    raise StoreError(f"run {run_id} has no image {path}: check the path")


def locate_images(engine: Engine, run_id: int, paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return the (id, class id) of the images of a run that have these paths, by path."""
    table = schema.Image
    query = select(table.path, table.id, table.class_id).where(
        table.run_id == run_id, in_texts(table.path, paths)
    )
    with engine.connect() as connection:
        return {path: (number, owner) for path, number, owner in connection.execute(query)}


def image_paths(engine: Engine, run_id: int, limit: int) -> list[str]:
    """Return at most so many of a run's paths."""
    query = select(schema.Image.path).where(schema.Image.run_id == run_id).limit(limit)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def search_images(engine: Engine, run_id: int, words: str, *, limit: int = 100) -> list[Image]:
    """Return the images whose path holds the words, by path."""
    query = IMAGE.where(schema.Image.run_id == run_id, contains(words, schema.Image.path))
    with engine.connect() as connection:
        return _all(connection, query.order_by(schema.Image.path).limit(limit))


def top_classes(engine: Engine, image_id: int) -> list[TopClass]:
    """Return an image's best classes, the predicted one first."""
    table = schema.PredictionTop
    query: Query = (
        select(*columns_of(TopClass, table, schema.ClassName))
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(table.image_id == image_id)
        .order_by(table.rank)
    )
    with engine.connect() as connection:
        return records(TopClass, connection.execute(query))


def thumbnails(engine: Engine, image_ids: list[int]) -> dict[int, bytes]:
    """Return the WebP thumbnails of images, by image id; unreadable images have none."""
    table = schema.Thumbnail
    query = select(table.image_id, table.webp).where(in_ids(table.image_id, image_ids))
    with engine.connect() as connection:
        return dict(connection.execute(query).all())


def relevances(engine: Engine, image_ids: list[int]) -> dict[int, dict[Role, Relevance]]:
    """Return the relevance maps of images, by image id and role."""
    maps: dict[int, dict[Role, Relevance]] = {image_id: {} for image_id in image_ids}
    query = RELEVANCE.where(in_ids(schema.Relevance.image_id, image_ids))
    with engine.connect() as connection:
        for record in records(Relevance, connection.execute(query)):
            maps[record.image_id][record.role] = record
    return maps
