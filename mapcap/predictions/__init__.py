"""Predictions of a person's own classifier: read from a file, matched with photos and classes."""

from mapcap.predictions.reading import digest, read_predictions

__all__ = ["digest", "read_predictions"]
