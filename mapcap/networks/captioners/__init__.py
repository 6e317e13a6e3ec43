"""What makes captions of regions: a file a kind of captioner, and a line in the registry."""

from mapcap.networks.captioners.base import Captioner, RegionBatch
from mapcap.networks.captioners.registry import check_captioner, load_captioner
from mapcap.networks.captioners.views import show_region

__all__ = ["Captioner", "RegionBatch", "check_captioner", "load_captioner", "show_region"]
