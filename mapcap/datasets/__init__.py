"""Labelled images from outside: finding them, naming their classes, reading them."""

from mapcap.datasets.decoding import upright_rgb
from mapcap.datasets.images import LoadedImage, read_image
from mapcap.datasets.records import ClassLabel, Dataset, Item, Place, Prediction
from mapcap.datasets.remote import Url
from mapcap.datasets.sample import SAMPLE
from mapcap.datasets.scan import scan

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
