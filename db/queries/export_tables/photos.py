"""Exports of which a row is an image, or a part of one."""

from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from db import schema
from db.queries.export_tables.columns import LABEL, NAME, PATH, Table, Value, begin
from db.sql import judged

_class, _predicted, _target = schema.ClassName, aliased(schema.ClassName), aliased(schema.ClassName)
_image, _prediction, _top = schema.Image, schema.Prediction, schema.PredictionTop
_region, _words, _caption = schema.Region, schema.RegionCaption, schema.Caption
_map = schema.Relevance

_BOX: Final = "in pixels of the image, from its upper left"


def _image_figures() -> Value:
    table = schema.ImageFigure
    named = func.nullif(func.json_group_object(table.name, table.value), "{}")
    return select(named).where(table.image_id == _image.id).scalar_subquery()


def images() -> Table:
    """Return the table of images."""
    row, columns, query = begin(
        "an image",
        [
            PATH,
            LABEL,
            NAME,
            ("predicted_label", "text", _predicted.label, "the class it was predicted as"),
            ("predicted_class", "text", _predicted.name, "that class in words"),
            ("correct", "boolean", judged(), "whether that is its class; empty without labels"),
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


def regions() -> Table:
    """Return the table of regions."""
    row, columns, query = begin(
        "a region of a relevance map",
        [
            PATH,
            LABEL,
            NAME,
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
            ("correct", "boolean", judged(), "whether its image is correct"),
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
