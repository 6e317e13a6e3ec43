"""What all captioners share: what they get, what they are asked, and how a kind is described."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

import torch
from PIL import Image
from torch import Tensor

from mapcap.colours import RegionColours
from mapcap.config import IndexConfig
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption

Needs = Literal["features", "coloured features", "crops"]
"""Features, these and the regions' colours, or pictures of the regions."""


@dataclass(frozen=True)
class RegionBatch:
    """The regions of one batch; only what the captioner `needs` has to be there."""

    features: Tensor | None = None
    """CLIP features (B, D), not normalised."""
    crops: Sequence[Image.Image] = ()
    """What `show_region` shows of the regions, RGB."""
    colours: Sequence[RegionColours | None] = ()
    """The regions' colours, None where they are not known; empty: of none."""


class Captioner(Protocol):
    """Makes one caption for each region of a batch."""

    needs: ClassVar[Needs]
    batch_size: ClassVar[int]
    """Most regions in a batch: a large network takes few."""

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions, in order."""
        ...


class Kind(NamedTuple):
    """A kind of captioner: what stands before the colon in `--captioner`, checked and loaded."""

    usage: str
    """How `--captioner` names one."""
    makes: type[Captioner]
    """What `load` returns one of."""
    check: Callable[[IndexConfig], None]
    """Raises `UserError` for what can be known to fail before any weights are loaded."""
    load: Callable[[IndexConfig, Clip, torch.device], Captioner]
    """Loads it for the run's CLIP onto a device."""


def argument(config: IndexConfig) -> str:
    """Return what a run's captioner is called after its kind and the colon."""
    return config.captioner.partition(":")[2]


def caption_crops(
    batch: RegionBatch, caption: Callable[[list[Image.Image]], list[Caption]]
) -> list[Caption]:
    """Return what `caption` makes of a batch's crops; an empty batch has no captions.

    Raises:
        ValueError: it has features and no crops.
    """
    if not batch.crops and batch.features is not None and len(batch.features):
        raise ValueError("this captioner captions crops, and the batch has none")
    return caption(list(batch.crops)) if batch.crops else []


def features_of(batch: RegionBatch) -> Tensor:
    """Return a batch's features (B, D).

    Raises:
        ValueError: it has none.
    """
    if batch.features is None:
        raise ValueError("this captioner captions features, and the batch has none")
    return batch.features
