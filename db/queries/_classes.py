"""Classes with their figures, in one small query each."""

from sqlalchemy import Engine, func, literal, literal_column, or_, select, type_coerce
from sqlalchemy.orm import aliased

from db import schema
from db.errors import StoreError
from db.first_paint import CORRECT, TOP_WRONG_NAME
from db.ordering import ClassSort, arranged
from db.records import ClassName, Confusion, TokenRelevance, Vectors
from db.sql import Query, columns_of, contains, raw, records, stack
from db.types import Number, SafeText

_CLASS: Query = select(
    *columns_of(
        ClassName,
        schema.ClassName,
        correct=literal_column(CORRECT, schema.ClassName.correct.type),
        top_wrong_name=literal_column(TOP_WRONG_NAME, SafeText),
    )
)


def _all(engine: Engine, query: Query) -> list[ClassName]:
    with engine.connect() as connection:
        return records(ClassName, connection.execute(query))


def classes(
    engine: Engine,
    run_id: int,
    *,
    sort: ClassSort = "position",
    descending: bool = False,
    words: str = "",
    below: float | None = None,
) -> list[ClassName]:
    """Return the classes of a run, arranged as `db.ordering.arranged` does it."""
    query = _CLASS.where(schema.ClassName.run_id == run_id).order_by(schema.ClassName.position)
    return arranged(_all(engine, query), sort=sort, descending=descending, words=words, below=below)


def search_classes(engine: Engine, run_id: int, words: str, *, limit: int = 100) -> list[ClassName]:
    """Return the classes whose name or label holds the words."""
    condition = contains(words, schema.ClassName.name, schema.ClassName.label)
    query = _CLASS.where(schema.ClassName.run_id == run_id, condition)
    return _all(engine, query.order_by(schema.ClassName.position).limit(limit))


def class_record(engine: Engine, class_id: int) -> ClassName:
    """Return a class; StoreError if there is none of that id."""
    matches = _all(engine, _CLASS.where(schema.ClassName.id == class_id))
    if not matches:
        raise StoreError(f"the file has no class {class_id}: it may have been indexed again")
    return matches[0]


def class_by_name(engine: Engine, run_id: int, name: str) -> ClassName:
    """Return the class of that name or label, in any case; StoreError if none or several have it.

    An exact label wins over an exact name, and both over another case.
    """
    label, title = schema.ClassName.label, schema.ClassName.name
    for condition in (
        label == name,
        title == name,
        or_(label.collate("NOCASE") == name, title.collate("NOCASE") == name),
    ):
        matches = _all(engine, _CLASS.where(schema.ClassName.run_id == run_id, condition))
        if len(matches) == 1:
            return matches[0]
        if matches:
            labels = ", ".join(other.label for other in matches)
            raise StoreError(f"several classes are called {name}: give one of the labels {labels}")
    raise StoreError(f"run {run_id} has no class {name}: `mapcap classes` lists them")


def confusions(engine: Engine, class_id: int) -> list[Confusion]:
    """Return what the images of a class were predicted as, the most frequent first."""
    table, wrong = schema.Confusion, aliased(schema.ClassName)
    predicted = select(schema.ClassName.predicted).where(schema.ClassName.id == class_id)
    query: Query = (
        select(
            *columns_of(
                Confusion,
                table,
                predicted_name=wrong.name,
                share=type_coerce(table.count / predicted.scalar_subquery(), Number),
            )
        )
        .join(wrong, wrong.id == table.predicted_class_id)
        .where(table.class_id == class_id)
        .order_by(table.count.desc(), wrong.position)
    )
    with engine.connect() as connection:
        return records(Confusion, connection.execute(query))


def run_confusions(engine: Engine, run_id: int) -> list[tuple[int, int, int]]:
    """Return (class id, predicted class id, images) for every pair of classes that occurs."""
    table = schema.Confusion
    query = (
        select(table.class_id, table.predicted_class_id, table.count)
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id)
    )
    with engine.connect() as connection:
        return [
            (actual, predicted, count) for actual, predicted, count in connection.execute(query)
        ]


def map_counts(engine: Engine, class_id: int) -> tuple[int, int]:
    """Return how many maps the images of a class have, and how many are zero everywhere."""
    query = (
        select(func.count(), func.count().filter(schema.Relevance.raw_max <= 0))
        .join(schema.Image, schema.Image.id == schema.Relevance.image_id)
        .where(schema.Image.class_id == class_id)
    )
    with engine.connect() as connection:
        maps, empty = connection.execute(query).one()
    return maps, empty


def class_tokens(engine: Engine, class_id: int) -> list[TokenRelevance]:
    """Return the tokens of a class's text with their relevance; empty until computed."""
    query = select(schema.ClassText.tokens).where(schema.ClassText.class_id == class_id)
    with engine.connect() as connection:
        stored = connection.execute(query).scalar_one_or_none()
    try:
        return [TokenRelevance(str(token), float(score)) for token, score in stored or []]
    except (TypeError, ValueError) as error:
        raise StoreError("the stored token relevance is damaged: index the photos again") from error


def class_embeddings(engine: Engine, run_id: int) -> Vectors:
    """Return the text embeddings of a run's classes in the order of the logits, norms 1."""
    query = (
        select(schema.ClassText.class_id, raw(schema.ClassText.embedding), literal(1.0))
        .join(schema.ClassName, schema.ClassName.id == schema.ClassText.class_id)
        .where(schema.ClassName.run_id == run_id)
        .order_by(schema.ClassName.position)
    )
    with engine.connect() as connection:
        return stack(connection, query)
