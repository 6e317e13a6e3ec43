"""What can be exported: flat tables, whose rows are named by what people know instead of by ids.

The columns are stable: later versions may add some at the end, and take none away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import TypeEngine

from db import schema
from db.sql import Query, finding_kind
from db.types import AnyNumber, SafeText

Kind = Literal["text", "integer", "float", "boolean", "json", "moment"]
Value: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Column:
    """A column of an export: its name, what it holds, and what that means."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table that can be exported: what one of its rows is, its columns, and its query.

    The query gives the columns in their order; it lacks its run.
    """

    row: str
    columns: tuple[Column, ...]
    query: Query


_Stated: TypeAlias = tuple[str, Kind, Value, str]

_class, _predicted, _wrong = schema.ClassName, aliased(schema.ClassName), aliased(schema.ClassName)
_image, _prediction, _top = schema.Image, schema.Prediction, schema.PredictionTop
_region, _words, _caption = schema.Region, schema.RegionCaption, schema.Caption
_counts, _summary, _sentence = schema.ClassCaption, schema.Summary, schema.SummarySentence
_map, _target = schema.Relevance, aliased(schema.ClassName)
_finding, _audit = schema.Finding, schema.ClassAudit

_LABEL: Final[_Stated] = (
    "label", "text", _class.label, "what the data set calls the class, unique in a run",
)  # fmt: skip
_NAME: Final[_Stated] = ("class", "text", _class.name, "the class in words, as the model reads it")
_PATH: Final[_Stated] = (
    "path",
    "text",
    _image.path,
    "the image below the data set, unique in a run",
)
# JSON stays the text that it is stored as, and an infinite number is for the export to leave out.
_READ_AS: Final[Mapping[str, type[TypeEngine[Any]]]] = {"json": SafeText, "float": AnyNumber}
_BOX: Final = "in pixels of the image, from its upper left"


def _table(row: str, stated: Sequence[_Stated]) -> tuple[str, tuple[Column, ...], Query]:
    """Return a table's row, its columns, and the beginning of its query."""
    columns = tuple(Column(name, kind, meaning) for name, kind, _, meaning in stated)
    values = [
        type_coerce(value, _READ_AS[kind]) if kind in _READ_AS else value
        for _, kind, value, _ in stated
    ]
    return row, columns, select(*(value.label(f"c{at}") for at, value in enumerate(values)))


def _class_figures() -> Value:
    table = schema.ClassFigure
    named = func.nullif(func.json_group_object(table.name, table.value), "{}")
    return select(named).where(table.class_id == _class.id).scalar_subquery()


def _image_figures() -> Value:
    table = schema.ImageFigure
    named = func.nullif(func.json_group_object(table.name, table.value), "{}")
    return select(named).where(table.image_id == _image.id).scalar_subquery()


def _evidence() -> Value:
    link, shown = schema.FindingImage, aliased(schema.Image)
    paths = (
        select(shown.path.label("path"))
        .join(link, link.image_id == shown.id)
        .where(link.finding_id == _finding.id)
        .order_by(link.position)
        .correlate(_finding)
        .subquery()
    )
    return select(func.json_group_array(paths.c.path)).scalar_subquery()


def _classes() -> Table:
    row, columns, query = _table(
        "a class",
        [
            _LABEL,
            _NAME,
            ("position", "integer", _class.position, "place in the logits, from 0"),
            ("images", "integer", _class.images, "its images"),
            ("readable", "integer", _class.readable, "those that could be read"),
            ("predicted", "integer", _class.predicted, "those that were classified"),
            ("correct", "integer", _class.correct, "those that were classified as this class"),
            ("accuracy", "float", _class.accuracy, "correct / predicted"),
            ("accuracy_low", "float", _class.accuracy_low, "lower end of its 95 % interval"),
            ("accuracy_high", "float", _class.accuracy_high, "upper end of it"),
            ("mean_true_probability", "float", _class.mean_true_probability,
             "mean probability of this class over its images"),
            ("top_wrong_label", "text", _wrong.label, "the class it is most often predicted as"),
            ("top_wrong_class", "text", _wrong.name, "that class in words"),
            ("top_wrong_count", "integer", _class.top_wrong_count, "how many images that are"),
            ("distinct_captions", "integer", _class.distinct_captions, "its distinct captions"),
            ("first_sentence", "text", _class.first_sentence, "first sentence of its summary"),
            ("audit", "text", _audit.line, "what the audit says of it in one line"),
            ("figures", "json", _class_figures(), "its metrics, by name"),
        ],
    )  # fmt: skip
    query = (
        query.select_from(_class)
        .outerjoin(_wrong, _wrong.id == _class.top_wrong_class_id)
        .outerjoin(_audit, _audit.class_id == _class.id)
        .order_by(_class.position)
    )
    return Table(row, columns, query)


def _images() -> Table:
    row, columns, query = _table(
        "an image",
        [
            _PATH,
            _LABEL,
            _NAME,
            ("predicted_label", "text", _predicted.label, "the class it was predicted as"),
            ("predicted_class", "text", _predicted.name, "that class in words"),
            ("correct", "boolean", _prediction.correct, "whether that is its class"),
            ("confidence", "float", _top.probability, "probability of the predicted class"),
            ("true_probability", "float", _prediction.true_probability, "probability of its class"),
            ("true_rank", "integer", _prediction.true_rank, "rank of its class, from 1"),
            ("margin", "float", _prediction.margin, "logit of its class - best other logit"),
            ("width", "integer", _image.width, "pixels"),
            ("height", "integer", _image.height, "pixels"),
            ("file_size", "integer", _image.file_size, "bytes"),
            ("content_hash", "text", _image.content_hash, "digest of the file"),
            ("x0", "float", _image.x0, f"left side of the object's box, {_BOX}"),
            ("y0", "float", _image.y0, "upper side of it"),
            ("x1", "float", _image.x1, "right side of it"),
            ("y1", "float", _image.y1, "lower side of it"),
            ("error", "text", _image.error, "why the file could not be read"),
            ("figures", "json", _image_figures(), "its metrics, by name, if sampled"),
            ("attributes", "json", _image.attributes, "figures of its pixels, by name"),
        ],
    )
    query = (
        query.select_from(_image)
        .join(_class, _class.id == _image.class_id)
        .outerjoin(_prediction, _prediction.image_id == _image.id)
        .outerjoin(_predicted, _predicted.id == _prediction.predicted_class_id)
        .outerjoin(_top, and_(_top.image_id == _image.id, _top.rank == 1))
        .order_by(_image.path)
    )
    return Table(row, columns, query)


def _regions() -> Table:
    row, columns, query = _table(
        "a region of a relevance map",
        [
            _PATH,
            _LABEL,
            _NAME,
            ("role", "text", _region.role,
             "the map: of the true class, the predicted one, or the contrast of both"),
            ("rank", "integer", _region.rank, "place among the map's regions by mass, from 1"),
            ("target_label", "text", _target.label, "the class that the map is for"),
            ("x0", "float", _region.x0, f"left side of its box, {_BOX}"),
            ("y0", "float", _region.y0, "upper side of it"),
            ("x1", "float", _region.x1, "right side of it"),
            ("y1", "float", _region.y1, "lower side of it"),
            ("area_share", "float", _region.area_share, "its part of the view's area"),
            ("mass_share", "float", _region.mass_share, "its part of the map's relevance"),
            ("caption", "text", _caption.text, "the region in words"),
            ("log_probability", "float", _words.log_probability,
             "mean log-probability of the caption's tokens"),
            ("cosine", "float", _words.cosine, "cosine of caption and region"),
            ("correct", "boolean", _prediction.correct, "whether its image is correct"),
        ],
    )  # fmt: skip
    query = (
        query.select_from(_image)
        .join(_region, _region.image_id == _image.id)
        .join(_class, _class.id == _image.class_id)
        .outerjoin(_map, and_(_map.image_id == _image.id, _map.role == _region.role))
        .outerjoin(_target, _target.id == _map.target_class_id)
        .outerjoin(_words, _words.region_id == _region.id)
        .outerjoin(_caption, _caption.id == _words.caption_id)
        .outerjoin(_prediction, _prediction.image_id == _image.id)
        .order_by(_image.path, _region.role, _region.rank)
    )
    return Table(row, columns, query)


def _captions() -> Table:
    row, columns, query = _table(
        "a caption of a class",
        [
            _LABEL,
            _NAME,
            ("caption", "text", _caption.text, "a region in words, unique in a class"),
            ("regions", "integer", _counts.count, "regions of the class's own maps that have it"),
            ("right", "integer", _counts.right, "images with it that were classified correctly"),
            ("wrong", "integer", _counts.wrong, "images with it that were not"),
            ("tokens", "integer", _caption.token_count, "its length in the captioner's tokens"),
            ("empty", "boolean", _caption.is_empty, "whether it says nothing"),
            ("artefact", "boolean", _caption.artefact, "whether it speaks of the rendering"),
        ],
    )
    query = (
        query.select_from(_class)
        .join(_counts, _counts.class_id == _class.id)
        .join(_caption, _caption.id == _counts.caption_id)
        .order_by(_class.position, _counts.count.desc(), _counts.caption_id.desc())
    )
    return Table(row, columns, query)


def _summaries() -> Table:
    row, columns, query = _table(
        "a sentence of a summary",
        [
            _LABEL,
            _NAME,
            ("k", "integer", _summary.k, "length asked for, each from 1 is stored"),
            ("redundancy", "float", _summary.redundancy, "lambda: the weight of repetition"),
            ("position", "integer", _sentence.position, "place in the summary, from 0"),
            ("sentence", "text", _caption.text, "a caption of the class"),
            ("relevance", "float", _sentence.relevance, "what it tells of the others, in nats"),
            ("penalty", "float", _sentence.penalty, "what of that was told before, in nats"),
            ("score", "float", _sentence.score, "relevance - lambda x penalty"),
            ("regions", "integer", _counts.count, "regions of the class that have it"),
            ("right", "integer", _counts.right, "images with it that were classified correctly"),
            ("wrong", "integer", _counts.wrong, "images with it that were not"),
        ],
    )  # fmt: skip
    query = (
        query.select_from(_class)
        .join(_summary, _summary.class_id == _class.id)
        .join(_sentence, _sentence.summary_id == _summary.id)
        .join(_caption, _caption.id == _sentence.caption_id)
        .outerjoin(
            _counts,
            and_(_counts.class_id == _class.id, _counts.caption_id == _sentence.caption_id),
        )
        .order_by(_class.position, _summary.k, _summary.redundancy, _sentence.position)
    )
    return Table(row, columns, query)


def _findings() -> Table:
    row, columns, query = _table(
        "a finding of the audit",
        [
            _LABEL,
            _NAME,
            ("position", "integer", _finding.position, "place among the class's findings, from 0"),
            ("kind", "text", finding_kind(), "what sort of finding it is"),
            ("title", "text", _finding.title, "the finding in words"),
            (
                "score",
                "float",
                _finding.score,
                "misclassified images that it accounts for beyond chance; 0: a note",
            ),
            ("figures", "json", _finding.figures, "the numbers behind the title"),
            ("images", "json", _evidence(), "paths of the images that show it, best first"),
            ("details", "json", _finding.details, "the figures as printed lines"),
        ],
    )
    query = (
        query.select_from(_class)
        .join(_finding, _finding.class_id == _class.id)
        .order_by(_class.position, _finding.position)
    )
    return Table(row, columns, query)


TABLES: Final[dict[str, Table]] = {
    "classes": _classes(),
    "images": _images(),
    "regions": _regions(),
    "captions": _captions(),
    "summaries": _summaries(),
    "findings": _findings(),
}
