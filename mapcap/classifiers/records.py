"""What MapCap needs to know of a supervised classifier, whatever library it comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image
from torch import Tensor, nn

from mapcap.heads import LinearHead
from mapcap.networks.geometry import View

OPTION: Final = "--classifier"


@dataclass(frozen=True)
class Sketch:
    """A classifier before its weights are there: how many classes it has, and what they are."""

    count: int
    names: Sequence[Sequence[str]] | None
    """Of each output what it may be called, the surest first; None where they are only numbered."""


class Trunk(nn.Module):
    """What a classifier is without its head, in the shape of a CLIP's image side.

    `visual` takes images (B, 3, H, W) to features (B, D), and is read by `vision_tower` where it
    is a transformer.
    """

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual: Any = visual

    def encode_image(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W) to features (B, D), as the head takes them."""
        features: Tensor = self.visual(image)
        return features


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier ready for inference."""

    trunk: Any
    """A `Trunk`: of a CLIP it has what the pass needs, and no texts."""
    head: LinearHead
    """Its own last layer, over its own classes."""
    stage: Callable[[Tensor], tuple[Tensor, Tensor]] | None
    """Where there is no attention: images to the activations (B, C, gh, gw) of the last stage, a
    leaf, and the features (B, D) read of them; None for a transformer."""
    transform: Callable[[Image.Image], Tensor]
    """Its own preprocessing: a PIL picture -> (3, H, W)."""
    preprocess: Mapping[str, Any]
    """`size`, `scale` and `resize_mode` of that, for `View.of`."""

    def view(self, width: int, height: int) -> View:
        """Return what the network sees of a picture of `width` x `height` pixels."""
        return View.of(self.preprocess, width, height)


def leaf(activations: Tensor) -> Tensor:
    """Return activations cut off from what they were computed of, for gradients to stop there."""
    return activations.detach().requires_grad_()
