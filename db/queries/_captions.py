"""Captions of classes, the word search over them, and words with scores."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Engine,
    case,
    column,
    exists,
    false,
    func,
    literal_column,
    select,
    table,
    tuple_,
)

from db import schema
from db.queries._regions import REGION, fetch_regions
from db.records import CaptionContrast, CaptionHit, ClassCaption, Region, WordScore
from db.sql import Query, columns_of, in_ids, records
from db.text import storable

_INDEX: Final = table("caption_fts", column("rowid"), column("rank"))
# FTS5 calls a whole row by the name of its table: that is what is searched and highlighted.
_WHOLE: Final[ColumnElement[Any]] = literal_column("caption_fts")


def captions(
    engine: Engine,
    class_id: int,
    *,
    summary_id: int | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[ClassCaption]:
    """Return a page of a class's distinct captions, the most frequent first.

    `selected` says whether a caption stands in the summary `summary_id`. `after` is the
    (count, caption_id) of the last caption of the page before.
    """
    counts = schema.ClassCaption
    query = class_captions(summary_id).where(counts.class_id == class_id)
    if after is not None:
        query = query.where(tuple_(counts.count, counts.caption_id) < after)
    query = query.order_by(counts.count.desc(), counts.caption_id.desc()).limit(limit)
    with engine.connect() as connection:
        return records(ClassCaption, connection.execute(query))


def class_captions(summary_id: int | None) -> Query:
    """Return the query for `ClassCaption` records, to be narrowed to a class."""
    counts, sentence = schema.ClassCaption, schema.SummarySentence
    chosen = select(sentence.caption_id).where(sentence.summary_id == summary_id)
    selected = false() if summary_id is None else counts.caption_id.in_(chosen)
    return select(*columns_of(ClassCaption, counts, schema.Caption, selected=selected)).join(
        schema.Caption, schema.Caption.id == counts.caption_id
    )


def images_of_captions(
    engine: Engine, class_id: int, caption_ids: Sequence[int]
) -> dict[int, list[tuple[int, bool]]]:
    """Return the images of a class that have a caption, and whether each is right, by caption."""
    table = schema.RegionCaption
    query = (
        select(table.caption_id, schema.Region.image_id, schema.Prediction.correct)
        .distinct()
        .join(schema.Region, schema.Region.id == table.region_id)
        .join(schema.Prediction, schema.Prediction.image_id == schema.Region.image_id)
        .where(
            table.class_id == class_id, table.role == "true", in_ids(table.caption_id, caption_ids)
        )
    )
    by_caption: dict[int, list[tuple[int, bool]]] = {number: [] for number in caption_ids}
    with engine.connect() as connection:
        for caption_id, image_id, correct in connection.execute(query):
            by_caption[caption_id].append((image_id, correct))
    return by_caption


def caption_regions(
    engine: Engine,
    caption_ids: Sequence[int],
    *,
    class_id: int,
    after: int = 0,
    limit: int = 100,
) -> list[Region]:
    """Return a page of the regions of a class that have one of some captions, by region id.

    `after` is the id of the last region of the page before.
    """
    link = schema.RegionCaption
    query = REGION.where(
        in_ids(link.caption_id, caption_ids), link.class_id == class_id, link.region_id > after
    )
    return fetch_regions(engine, query.order_by(link.region_id).limit(limit))


def regions_of_caption(
    engine: Engine, caption_id: int, *, after: int = 0, limit: int = 100
) -> list[Region]:
    """Return a page of the regions that have a caption, in any class, by region id.

    `after` is the id of the last region of the page before.
    """
    table = schema.RegionCaption
    query = REGION.where(table.caption_id == caption_id, table.region_id > after)
    return fetch_regions(engine, query.order_by(table.region_id).limit(limit))


def caption_contrasts(
    engine: Engine, class_id: int, predicted_class_id: int, *, limit: int = 50
) -> list[CaptionContrast]:
    """Return the captions of a class's images predicted as another class, next to the correct ones.

    Counts regions of role `true`. First come the captions that the misclassified images have most
    more of than the correct ones.
    """
    words, prediction = schema.RegionCaption, schema.Prediction
    wrong = func.sum(case((prediction.predicted_class_id == predicted_class_id, 1), else_=0))
    right = func.sum(case((prediction.correct, 1), else_=0))
    query: Query = (
        select(*columns_of(CaptionContrast, words, schema.Caption, wrong=wrong, right=right))
        .join(schema.Region, schema.Region.id == words.region_id)
        .join(prediction, prediction.image_id == schema.Region.image_id)
        .join(schema.Caption, schema.Caption.id == words.caption_id)
        .where(words.class_id == class_id, words.role == "true")
        .group_by(words.caption_id)
        .having(wrong > 0)
        .order_by((wrong - right).desc(), wrong.desc(), words.caption_id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return records(CaptionContrast, connection.execute(query))


def search_captions(
    engine: Engine,
    run_id: int,
    words: str,
    *,
    class_id: int | None = None,
    limit: int = 100,
) -> list[CaptionHit]:
    """Return the captions that hold every word, the best first; all of a run, or of one class.

    The last word need only be begun. Words without a letter or digit are skipped.
    """
    match = _match(words)
    if not match:
        return []
    # Unforgeable: no caption can hold marks that are drawn for this one query.
    begin, end = secrets.token_hex(8), secrets.token_hex(8)
    counts = schema.ClassCaption
    of_caption = [counts.caption_id == schema.Caption.id]
    if class_id is not None:
        of_caption.append(counts.class_id == class_id)
    query: Query = (
        select(
            schema.Caption.id,
            schema.Caption.text,
            func.highlight(_WHOLE, 0, begin, end),
            select(func.coalesce(func.sum(counts.count), 0)).where(*of_caption).scalar_subquery(),
            select(func.count()).where(*of_caption).scalar_subquery(),
        )
        .select_from(_INDEX)
        .join(schema.Caption, schema.Caption.id == _INDEX.c.rowid)
        .where(_WHOLE.op("MATCH")(match), schema.Caption.run_id == run_id)
        # By rank alone, which FTS5 sorts itself: only the page's rows are highlighted.
        .order_by(_INDEX.c.rank)
        .limit(limit)
    )
    if class_id is not None:
        query = query.where(exists().where(*of_caption))
    with engine.connect() as connection:
        return [
            CaptionHit(number, shown, _spans(shown, marked, begin, end), count, classes)
            for number, shown, marked, count, classes in connection.execute(query)
        ]


def search_class_captions(
    engine: Engine, class_id: int, words: str, *, summary_id: int | None = None, limit: int = 100
) -> list[tuple[ClassCaption, tuple[tuple[int, int], ...]]]:
    """Return a class's captions that hold every word, the most frequent first, and where.

    As `captions` gives them; the words are matched as by `search_captions`.
    """
    match = _match(words)
    if not match:
        return []
    begin, end = secrets.token_hex(8), secrets.token_hex(8)
    counts = schema.ClassCaption
    query = (
        class_captions(summary_id)
        .add_columns(func.highlight(_WHOLE, 0, begin, end))
        .join(_INDEX, _INDEX.c.rowid == schema.Caption.id)
        .where(_WHOLE.op("MATCH")(match), counts.class_id == class_id)
        .order_by(counts.count.desc(), counts.caption_id.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        return [
            (ClassCaption(*row), _spans(row[1], marked, begin, end))
            for *row, marked in connection.execute(query)
        ]


def _match(words: str) -> str:
    """Return an FTS5 query for captions that hold every word, the last one as a beginning.

    Each word is a quoted string, so that nothing in it is an operator.
    """
    # FTS5 reads its query up to the first NUL.
    shown = storable(words[:1000]).replace("\0", " ")
    # A word without a letter or digit is no word to FTS5, and would make the query find nothing.
    tokens = [word for word in shown.split() if any(char.isalnum() for char in word)]
    quoted = ['"' + word.replace('"', '""') + '"' for word in tokens]
    return " ".join(quoted) + " *" if quoted else ""


def _spans(text: str, marked: str, begin: str, end: str) -> tuple[tuple[int, int], ...]:
    """Return where the marked words stand in the text."""
    if marked.replace(begin, "").replace(end, "") != text:
        # FTS5 drops what follows a NUL when it marks a text: rather no place than a wrong one.
        return ()
    spans = []
    before, *pieces = marked.split(begin)
    position = len(before)
    for piece in pieces:
        word, _, rest = piece.partition(end)
        spans.append((position, position + len(word)))
        position += len(word) + len(rest)
    return tuple(spans)


def word_scores(engine: Engine, class_id: int, kind: str, *, limit: int = 100) -> list[WordScore]:
    """Return the words of a class by score, the highest first."""
    words = schema.WordScore
    query = (
        select(*columns_of(WordScore, words))
        .where(words.class_id == class_id, words.kind == kind)
        .order_by(words.score.desc(), words.word)
        .limit(limit)
    )
    with engine.connect() as connection:
        return records(WordScore, connection.execute(query))
