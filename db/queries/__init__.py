"""Every read of the store. Each call is one short transaction and returns records."""

from db.queries.captions import (
    caption_regions,
    captions,
    search_captions,
    word_scores,
)
from db.queries.classes import (
    class_by_name,
    class_embeddings,
    class_record,
    class_tokens,
    classes,
    confusions,
    search_classes,
)
from db.queries.contrasts import caption_contrasts, regions_of_caption
from db.queries.images import (
    image,
    image_by_path,
    images,
    relevances,
    search_images,
    thumbnails,
    top_classes,
)
from db.queries.pending import (
    pending_captions,
    pending_embeddings,
    pending_pmi,
    pending_predictions,
    pending_regions,
    pending_relevance,
    pending_summaries,
)
from db.queries.regions import image_embeddings, region_embeddings, regions, regions_by_id
from db.queries.runs import counts, latest_run, run, runs, stages
from db.queries.summaries import pmi, summaries, summary
from db.queries.tasks import (
    image_tasks,
    known_images,
    pmi_candidates,
    region_features,
    region_tasks,
    relevances_by_id,
)
from db.queries.totals import readable_images, region_count, relevance_count

__all__ = [
    "caption_contrasts",
    "caption_regions",
    "captions",
    "class_by_name",
    "class_embeddings",
    "class_record",
    "class_tokens",
    "classes",
    "confusions",
    "counts",
    "image",
    "image_by_path",
    "image_embeddings",
    "image_tasks",
    "images",
    "known_images",
    "latest_run",
    "pending_captions",
    "pending_embeddings",
    "pending_pmi",
    "pending_predictions",
    "pending_regions",
    "pending_relevance",
    "pending_summaries",
    "pmi",
    "pmi_candidates",
    "readable_images",
    "region_count",
    "region_embeddings",
    "region_features",
    "region_tasks",
    "regions",
    "regions_by_id",
    "regions_of_caption",
    "relevance_count",
    "relevances",
    "relevances_by_id",
    "run",
    "runs",
    "search_captions",
    "search_classes",
    "search_images",
    "stages",
    "summaries",
    "summary",
    "thumbnails",
    "top_classes",
    "word_scores",
]
