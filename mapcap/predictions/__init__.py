"""Predictions of a person's own classifier: read from a file, matched with photos and classes."""

from mapcap.predictions.heads import check_width, match_head, rows_of
from mapcap.predictions.reading import digest, read_predictions, scan_photos

__all__ = ["check_width", "digest", "match_head", "read_predictions", "rows_of", "scan_photos"]
