"""Labelled images from outside: finding them, naming their classes, reading them."""

from mapcap.datasets.images import LoadedImage, read_image, upright_rgb
from mapcap.datasets.records import ClassLabel, Dataset, Item, Place, Prediction
from mapcap.datasets.remote import Url
from mapcap.datasets.scan import SAMPLE, scan

__all__ = [
    "SAMPLE",
    "ClassLabel",
    "Dataset",
    "Item",
    "LoadedImage",
    "Place",
    "Prediction",
    "Url",
    "read_image",
    "scan",
    "upright_rgb",
]
