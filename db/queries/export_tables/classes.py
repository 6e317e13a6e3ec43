"""Exports of which a row is a class, or something that is said of one."""

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from db import schema
from db.queries.export_tables.columns import LABEL, NAME, Table, Value, begin
from db.sql import finding_kind

_class, _wrong = schema.ClassName, aliased(schema.ClassName)
_finding, _audit = schema.Finding, schema.ClassAudit
_counts, _summary, _sentence = schema.ClassCaption, schema.Summary, schema.SummarySentence
_caption = schema.Caption


def _if_labelled(value: Value) -> Value:
    """Return a count by outcome, null where the predicted images of a class have no labels."""
    return case((or_(_class.accuracy.is_not(None), _class.predicted == 0), value))


def _class_figures() -> Value:
    table = schema.ClassFigure
    named = func.nullif(func.json_group_object(table.name, table.value), "{}")
    return select(named).where(table.class_id == _class.id).scalar_subquery()


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


def classes() -> Table:
    """Return the table of classes."""
    row, columns, query = begin(
        "a class",
        [
            LABEL,
            NAME,
            ("position", "integer", _class.position, "place in the logits, from 0"),
            ("images", "integer", _class.images, "its images"),
            ("readable", "integer", _class.readable, "those that could be read"),
            ("predicted", "integer", _class.predicted, "those that were classified"),
            ("correct", "integer", _if_labelled(_class.correct),
             "those that were classified as this class; empty without labels"),
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


def captions() -> Table:
    """Return the table of captions."""
    row, columns, query = begin(
        "a caption of a class",
        [
            LABEL,
            NAME,
            ("caption", "text", _caption.text, "a region in words, unique in a class"),
            ("regions", "integer", _counts.count, "regions of the class's own maps that have it"),
            ("right", "integer", _if_labelled(_counts.right),
             "images with it that were classified correctly; empty without labels"),
            ("wrong", "integer", _if_labelled(_counts.wrong), "images with it that were not"),
            ("tokens", "integer", _caption.token_count, "its length in the captioner's tokens"),
            ("empty", "boolean", _caption.is_empty, "whether it says nothing"),
            ("artefact", "boolean", _caption.artefact,
             "whether it tells of the picture rather than its content"),
        ],
    )  # fmt: skip
    query = (
        query.select_from(_class)
        .join(_counts, _counts.class_id == _class.id)
        .join(_caption, _caption.id == _counts.caption_id)
        .order_by(_class.position, _counts.count.desc(), _counts.caption_id.desc())
    )
    return Table(row, columns, query)


def summaries() -> Table:
    """Return the table of summaries."""
    row, columns, query = begin(
        "a sentence of a summary",
        [
            LABEL,
            NAME,
            ("k", "integer", _summary.k, "length asked for, each from 1 is stored"),
            ("redundancy", "float", _summary.redundancy, "lambda: the weight of repetition"),
            ("position", "integer", _sentence.position, "place in the summary, from 0"),
            ("sentence", "text", _caption.text, "a caption of the class"),
            ("relevance", "float", _sentence.relevance, "what it tells of the others, in nats"),
            ("penalty", "float", _sentence.penalty, "what of that was told before, in nats"),
            ("score", "float", _sentence.score, "relevance - lambda x penalty"),
            ("regions", "integer", _counts.count, "regions of the class that have it"),
            ("right", "integer", _if_labelled(_counts.right),
             "images with it that were classified correctly; empty without labels"),
            ("wrong", "integer", _if_labelled(_counts.wrong), "images with it that were not"),
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


def findings() -> Table:
    """Return the table of findings."""
    row, columns, query = begin(
        "a finding of the audit",
        [
            LABEL,
            NAME,
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
            (
                "subject",
                "text",
                _finding.subject,
                "what it is about, without counts: the same in the next audit",
            ),
        ],
    )
    query = (
        query.select_from(_class)
        .join(_finding, _finding.class_id == _class.id)
        .order_by(_class.position, _finding.position)
    )
    return Table(row, columns, query)
