"""Relevance of each patch of an image for its match with a text: a method is a file and a line.

Each method takes a scene (images before the last layer of the vision tower), the maps that are
asked of it and the first layer that counts, and returns those maps. The pass (`mapcap.explanation`)
and the sanity checks (`mapcap.evaluation.probing`) both call it by its name in `METHODS`.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from torch import Tensor

from mapcap.relevance import gradcam, legrad, occlusion, propagation, rollout, value
from mapcap.relevance.propagation import chefer, chefer_text, relevance_maps
from mapcap.relevance.scene import ROLES, Asked, Role, Scene, open_scene

__all__ = [
    "METHODS",
    "ROLES",
    "Asked",
    "Role",
    "Scene",
    "chefer",
    "chefer_text",
    "open_scene",
    "relevance_maps",
]


class RelevanceMethod(Protocol):
    """A way from what the tower computes to relevance."""

    def __call__(self, scene: Scene, asked: Asked, start_layer: int) -> Tensor:
        """Return the M maps that are asked (M, gh, gw): raw scores of at least 0."""


METHODS: Final[Mapping[str, RelevanceMethod]] = {
    "chefer": propagation.maps,
    "gradcam": gradcam.maps,
    "legrad": legrad.maps,
    "occlusion": occlusion.maps,
    "rollout": rollout.maps,
    "value": value.maps,
}
