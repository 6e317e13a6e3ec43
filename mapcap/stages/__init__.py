"""The stages of a run, in the order in which they work."""

from typing import Any

from mapcap.stages.audit import Audit
from mapcap.stages.base import Stage
from mapcap.stages.captions import Captions
from mapcap.stages.images import Images
from mapcap.stages.pmi import Pmi
from mapcap.stages.quality import Quality
from mapcap.stages.summaries import Summaries

__all__ = ["STAGES"]

STAGES: tuple[type[Stage[Any]], ...] = (
    Images,
    Captions,
    Pmi,
    Summaries,
    Audit,
    Quality,
)
