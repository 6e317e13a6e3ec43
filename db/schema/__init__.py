"""The tables. Natural keys are unique everywhere, so that writing a batch twice is harmless.

Some columns repeat what a join would find (`prediction.class_id`, `region.run_id`,
`region_caption.class_id` and `.role`): they let one index serve a whole page of the browser on a
file with a million images. Wide blobs (thumbnails, embeddings) stand in tables of their own, so
that the narrow ones stay dense.
"""

from db.files import SCHEMA_VERSION
from db.schema.audit import (
    ClassAudit,
    ClassFigure,
    ErrorWord,
    Figure,
    Finding,
    FindingImage,
    FindingRegion,
    ImageFigure,
)
from db.schema.columns import Base
from db.schema.pictures import (
    ClassName,
    ClassText,
    Confusion,
    Embedding,
    EmbeddingBlock,
    Image,
    ImageEmbedding,
    Lease,
    Prediction,
    PredictionTop,
    Region,
    Relevance,
    Run,
    Stage,
    Thumbnail,
    Witness,
)
from db.schema.words import (
    Caption,
    ClassCaption,
    Pmi,
    RegionCaption,
    Summary,
    SummarySentence,
    WordScore,
)

__all__ = [
    "SCHEMA_VERSION",
    "Base",
    "Caption",
    "ClassAudit",
    "ClassCaption",
    "ClassFigure",
    "ClassName",
    "ClassText",
    "Confusion",
    "Embedding",
    "EmbeddingBlock",
    "ErrorWord",
    "Figure",
    "Finding",
    "FindingImage",
    "FindingRegion",
    "Image",
    "ImageEmbedding",
    "ImageFigure",
    "Lease",
    "Pmi",
    "Prediction",
    "PredictionTop",
    "Region",
    "RegionCaption",
    "Relevance",
    "Run",
    "Stage",
    "Summary",
    "SummarySentence",
    "Thumbnail",
    "Witness",
    "WordScore",
]
