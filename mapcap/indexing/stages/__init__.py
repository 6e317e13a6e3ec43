"""The stages of a run, in the order in which they work."""

from typing import Any

from mapcap.indexing.stages.audit import Audit
from mapcap.indexing.stages.base import Stage
from mapcap.indexing.stages.captions import Captions
from mapcap.indexing.stages.evaluation import Evaluation
from mapcap.indexing.stages.images import Images
from mapcap.indexing.stages.pmi import Pmi
from mapcap.indexing.stages.summaries import Summaries

__all__ = ["STAGES"]

STAGES: tuple[type[Stage[Any, Any]], ...] = (
    Images,
    Captions,
    Pmi,
    Summaries,
    Audit,
    Evaluation,
)
