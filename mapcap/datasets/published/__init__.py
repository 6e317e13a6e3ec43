"""Data sets that others publish: what there is of them, and fetching one into a folder."""

from mapcap.datasets.published.catalogue import CATALOGUE, Archive, Part, Published
from mapcap.datasets.published.fetching import fetch
from mapcap.datasets.published.record import Fetched

__all__ = ["CATALOGUE", "Archive", "Fetched", "Part", "Published", "fetch"]
