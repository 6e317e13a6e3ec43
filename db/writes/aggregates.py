"""Figures per class, written when a stage ends, so that the first screen is one small query."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, case, delete, func, insert, select, update

from db.engine import writing
from db.records import WordScore as WordScoreRecord
from db.schema import (
    Caption,
    ClassCaption,
    ClassName,
    Confusion,
    Image,
    Prediction,
    Region,
    RegionCaption,
    Witness,
    WordScore,
)
from db.sql import judged, row_of, upsert
from db.stats import wilson

_MEAN = func.avg(Prediction.true_probability)
_AGREES = Witness.predicted_class_id == Prediction.predicted_class_id


def aggregate_accuracy(engine: Engine, run_id: int) -> None:
    """Write each class's counts, accuracy with its interval, and confusions."""
    with writing(engine) as connection:
        classes = connection.execute(select(ClassName.id).where(ClassName.run_id == run_id))
        figures = {class_id: _no_figures(class_id) for (class_id,) in classes}
        _count_images(connection, run_id, figures)
        _count_predictions(connection, run_id, figures)
        _write_confusions(connection, run_id, figures)
        if figures:
            statement = update(ClassName).where(ClassName.id == bindparam("class_key"))
            columns = [name for name in next(iter(figures.values())) if name != "class_key"]
            connection.execute(
                statement.values({name: bindparam(name) for name in columns}),
                list(figures.values()),
            )


def _no_figures(class_id: int) -> dict[str, Any]:
    return {
        "class_key": class_id,
        "images": 0,
        "readable": 0,
        "predicted": 0,
        "correct": 0,
        "accuracy": None,
        "accuracy_low": None,
        "accuracy_high": None,
        "mean_true_probability": None,
        "agreed": None,
        "top_wrong_class_id": None,
        "top_wrong_count": 0,
    }


def _count_images(connection: Connection, run_id: int, figures: dict[int, dict[str, Any]]) -> None:
    readable = func.sum(case((Image.error.is_(None), 1), else_=0))
    counted = select(Image.class_id, func.count(), readable).where(Image.run_id == run_id)
    for class_id, images, read in connection.execute(counted.group_by(Image.class_id)):
        figures[class_id] |= {"images": images, "readable": read}


def _count_predictions(
    connection: Connection, run_id: int, figures: dict[int, dict[str, Any]]
) -> None:
    counted = (
        select(
            Prediction.class_id,
            func.count(),
            # Not a sum, which would come back as a Boolean like its column.
            func.count(judged()),
            func.count(case((judged(), 1))),
            # Some alone would be a mean over images that a file chose to name: none then.
            case((func.count(Prediction.true_probability) == func.count(), _MEAN)),
            case((func.count(Witness.image_id) > 0, func.count(case((_AGREES, 1))))),
        )
        .outerjoin(Witness, Witness.image_id == Prediction.image_id)
        .join(ClassName, ClassName.id == Prediction.class_id)
        .where(ClassName.run_id == run_id)
        .group_by(Prediction.class_id)
    )
    rows = connection.execute(counted)
    for class_id, predicted, labelled, correct, probability, agreed in rows:
        low, high = wilson(correct, predicted) if labelled else (None, None)
        figures[class_id] |= {
            "predicted": predicted,
            "correct": correct,
            "accuracy": correct / predicted if labelled else None,
            "accuracy_low": low,
            "accuracy_high": high,
            "mean_true_probability": probability,
            "agreed": agreed,
        }


def _write_confusions(
    connection: Connection, run_id: int, figures: dict[int, dict[str, Any]]
) -> None:
    of_run = select(ClassName.id).where(ClassName.run_id == run_id)
    connection.execute(delete(Confusion).where(Confusion.class_id.in_(of_run)))
    counted = (
        select(Prediction.class_id, Prediction.predicted_class_id, func.count().label("count"))
        .where(Prediction.class_id.in_(of_run), Prediction.correct.is_(False))
        .group_by(Prediction.class_id, Prediction.predicted_class_id)
    )
    connection.execute(
        insert(Confusion).from_select(["class_id", "predicted_class_id", "count"], counted)
    )
    worst_last = (
        select(Confusion.class_id, Confusion.predicted_class_id, Confusion.count)
        .where(Confusion.class_id.in_(of_run))
        # Of equal ones the class that comes first in the logits is named.
        .order_by(Confusion.count, Confusion.predicted_class_id.desc())
    )
    for class_id, wrong, count in connection.execute(worst_last):
        figures[class_id] |= {"top_wrong_class_id": wrong, "top_wrong_count": count}


def aggregate_captions(engine: Engine, run_id: int) -> None:
    """Write how often each caption stands in each class, from the regions of role `true`."""
    of_run = select(ClassName.id).where(ClassName.run_id == run_id)
    right = func.count(case((Prediction.correct, Region.image_id)).distinct())
    wrong = func.count(case((Prediction.correct.is_(False), Region.image_id)).distinct())
    counted = (
        select(RegionCaption.class_id, RegionCaption.caption_id, func.count(), right, wrong)
        .join(Region, Region.id == RegionCaption.region_id)
        .join(Prediction, Prediction.image_id == Region.image_id)
        .where(RegionCaption.class_id.in_(of_run), RegionCaption.role == "true")
        .group_by(RegionCaption.class_id, RegionCaption.caption_id)
    )
    distinct = (
        select(func.count())
        .select_from(ClassCaption)
        .join(Caption, Caption.id == ClassCaption.caption_id)
        .where(ClassCaption.class_id == ClassName.id, Caption.is_empty.is_(False))
        .scalar_subquery()
    )
    with writing(engine) as connection:
        connection.execute(delete(ClassCaption).where(ClassCaption.class_id.in_(of_run)))
        connection.execute(
            insert(ClassCaption).from_select(
                ["class_id", "caption_id", "count", "right", "wrong"], counted
            )
        )
        connection.execute(
            update(ClassName).where(ClassName.run_id == run_id).values(distinct_captions=distinct)
        )


def add_word_scores(
    store: Engine | Connection, class_id: int, kind: str, scores: Sequence[WordScoreRecord]
) -> None:
    """Store the words of a class with their scores, in place of all of the same kind."""
    rows = [{"class_id": class_id, "kind": kind, **row_of(word)} for word in scores]
    with writing(store) as connection:
        connection.execute(
            delete(WordScore).where(WordScore.class_id == class_id, WordScore.kind == kind)
        )
        upsert(connection, WordScore, ["class_id", "kind", "word"], rows)
