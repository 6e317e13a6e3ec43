"""Every write to the store: one transaction per call, and calling twice changes nothing more."""

from db.writes.aggregates import add_word_scores, aggregate_accuracy, aggregate_captions
from db.writes.audit import (
    add_audit,
    add_image_figures,
    set_figures,
)
from db.writes.captions import add_captions, add_pmi, add_summaries
from db.writes.images import (
    add_images,
    add_predictions,
    add_relevance,
    add_witness,
    mark_unreadable,
    outdate,
    remove_images,
    set_boxes,
)
from db.writes.lease import release_lease, renew_lease, take_lease
from db.writes.regions import add_embeddings, add_regions, pack_embeddings
from db.writes.runs import (
    add_classes,
    add_note,
    begin_stage,
    finish_stage,
    keep_stages,
    progress_stage,
    set_class_texts,
    set_status,
    start_run,
)
from db.writes.sharing import copy_captions, copy_images

__all__ = [
    "add_audit",
    "add_captions",
    "add_classes",
    "add_embeddings",
    "add_image_figures",
    "add_images",
    "add_note",
    "add_pmi",
    "add_predictions",
    "add_regions",
    "add_relevance",
    "add_summaries",
    "add_witness",
    "add_word_scores",
    "aggregate_accuracy",
    "aggregate_captions",
    "begin_stage",
    "copy_captions",
    "copy_images",
    "finish_stage",
    "keep_stages",
    "mark_unreadable",
    "outdate",
    "pack_embeddings",
    "progress_stage",
    "release_lease",
    "remove_images",
    "renew_lease",
    "set_boxes",
    "set_class_texts",
    "set_figures",
    "set_status",
    "start_run",
    "take_lease",
]
