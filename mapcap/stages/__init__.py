"""The stages of a run, in the order in which they work."""

from mapcap.stages.captions import Captions
from mapcap.stages.embeddings import Embeddings
from mapcap.stages.pmi import Pmi
from mapcap.stages.regions import Regions
from mapcap.stages.relevance import Relevance
from mapcap.stages.scan import Scan
from mapcap.stages.summaries import Summaries
from mapcap.stages.zero_shot import ZeroShot

__all__ = ["STAGES"]

STAGES = (Scan, ZeroShot, Relevance, Regions, Embeddings, Captions, Pmi, Summaries)
