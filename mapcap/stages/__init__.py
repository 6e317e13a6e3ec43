"""The stages of a run, in the order in which they work."""

from typing import Any

from mapcap.stages.audit import Audit
from mapcap.stages.base import Stage
from mapcap.stages.captions import Captions
from mapcap.stages.embeddings import Embeddings
from mapcap.stages.pmi import Pmi
from mapcap.stages.quality import Quality
from mapcap.stages.regions import Regions
from mapcap.stages.relevance import Relevance
from mapcap.stages.scan import Scan
from mapcap.stages.summaries import Summaries
from mapcap.stages.zero_shot import ZeroShot

__all__ = ["STAGES"]

STAGES: tuple[type[Stage[Any]], ...] = (
    Scan,
    ZeroShot,
    Relevance,
    Regions,
    Embeddings,
    Captions,
    Pmi,
    Summaries,
    Audit,
    Quality,
)
