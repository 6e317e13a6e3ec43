"""Is what a map marks what the prediction rests on?

Deletion and insertion after Petsiuk et al. 2018 (RISE, arXiv 1806.07421): parts of the image are
taken away, or given back, in the order of the map, and the probability of the true class is
followed. Two ways to take a patch away: its token leaves the sequence (a vision transformer needs
no stand-in for it), or its pixels are blurred.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.towers import ClipModel, require_attention, vision_tower
from mapcap.representations import BLUR, encode_images
from mapcap.zero_shot import class_logits

STEPS = 8
"""More of them cost as many passes more, and move map and lot alike."""

# Indices of images (R,) and the patches that each keeps (R, k) -> features (R, D).
Eraser = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Orders:
    """Orders of the N patches of B images: by falling relevance, and at random; (B, N) each."""

    best: NDArray[np.int64]
    lot: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curves:
    """The probability of the true class with a share of the patches kept, (B, S) each."""

    shares: NDArray[np.float64]
    """(S,) from 0 to 1"""
    best: NDArray[np.float64]
    """The most relevant ones are kept: insertion."""
    worst: NDArray[np.float64]
    """The least relevant ones are kept: deletion."""
    lot: NDArray[np.float64]
    """As many are kept, drawn at random: for both, what an order that knows nothing gives."""

    def areas(self) -> dict[str, NDArray[np.float64]]:
        """Return the areas (B,) under the curves, and how far both are ahead of the lot."""
        insertion, deletion, lot = map(self._area, (self.best, self.worst, self.lot))
        return {
            "deletion": deletion,
            "insertion": insertion,
            "random": lot,
            "deletion-gain": lot - deletion,
            "insertion-gain": insertion - lot,
        }

    def _area(self, curve: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.trapezoid(curve, self.shares, axis=1))


def patch_orders(grids: NDArray[Any], seeds: Sequence[Sequence[int]]) -> Orders:
    """Order the patches of maps (B, gh, gw); patches that are equal stand as the lot has them.

    `seeds` holds one seed an image, so that its figures do not depend on its batch.
    """
    flat = np.asarray(grids, np.float64).reshape(len(grids), -1)
    noise = np.stack([np.random.default_rng(seed).random(flat.shape[1]) for seed in seeds])
    return Orders(np.lexsort((noise, -flat), axis=1), noise.argsort(1))


def curves(
    model: ClipModel,
    eraser: Eraser,
    orders: Orders,
    weights: Tensor,
    targets: Tensor,
    steps: int = STEPS,
) -> Curves:
    """Follow the true class's probability while patches are taken away in three orders.

    Args:
        model: whose logit scale and bias turn features into probabilities.
        eraser: from `dropping` or `blurring`.
        orders: of the same images.
        weights: (K, D) class weights.
        targets: (B,) indices of the true classes into K.
        steps: number of equal steps from nothing to all patches.
    """
    count, patches = orders.best.shape
    kept_counts = np.unique(np.linspace(0, patches, steps + 1).round().astype(int))
    best, lot = torch.from_numpy(orders.best), torch.from_numpy(orders.lot)
    points = []
    for k in kept_counts.tolist():
        # Without any patch, or with all of them, no order matters.
        all_alike = k in (0, patches)
        ways = [best] if all_alike else [best, best.flip(1), lot]
        kept = torch.cat([order[:, :k] for order in ways])  # (3B or B, k)
        logits = class_logits(model, eraser(torch.arange(count).repeat(len(ways)), kept), weights)
        wanted = targets.cpu().repeat(len(ways))[:, None]
        probabilities = logits.softmax(-1).cpu().double().gather(1, wanted)  # (3B or B, 1)
        points.append(probabilities.view(len(ways), count).expand(3, -1).numpy())
    stacked = np.stack(points, axis=2)  # (3, B, S)
    return Curves(kept_counts / patches, *stacked)


def dropping(model: ClipModel, images: Tensor) -> Eraser:
    """Return an eraser that takes the tokens of the other patches out of the sequence.

    The tokens that stay keep their positional embeddings, learnt or rotary; CLS and registers
    always stay. `images` (B, 3, H, W) preprocessed. Raises `UserError` for a vision tower whose
    reading is not known.
    """

    def erase(rows: Tensor, kept: Tensor) -> Tensor:
        with only_tokens(model, kept):
            return encode_images(model, images[rows])

    return erase


@contextmanager
def only_tokens(model: ClipModel, kept: Tensor) -> Iterator[None]:
    """Let the vision tower see patches `kept` (B, k) alone of the B images that it is given."""
    tower = require_attention(vision_tower(model.visual))
    always = torch.arange(tower.prefix).expand(len(kept), -1)
    tokens = torch.cat([always, kept + tower.prefix], dim=1)  # (B, prefix + k)

    def enter(block: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = args[0]  # (B, N, width)
        index = tokens.to(x.device)[..., None].expand(-1, -1, x.shape[-1])
        return (x.gather(1, index), *args[1:]), kwargs

    def turn(block: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rope = kwargs.get("rope")
        if rope is None:
            return None
        chosen = rope[..., kept.to(rope.device), :]  # (B, k, d) or (H, B, k, d)
        per_head = chosen.unsqueeze(1) if rope.ndim == 2 else chosen.transpose(0, 1)
        return args, {**kwargs, "rope": per_head}  # (B, 1 or H, k, d)

    with ExitStack() as hooks:
        first = tower.blocks[0]
        hooks.enter_context(first.register_forward_pre_hook(enter, with_kwargs=True))
        for block in tower.blocks:
            hooks.enter_context(block.register_forward_pre_hook(turn, with_kwargs=True))
        yield


def blurring(model: ClipModel, images: Tensor) -> Eraser:
    """Return an eraser that blurs the pixels of the other patches.

    `images` (B, 3, H, W) preprocessed; the blur is Gaussian, its standard deviation `BLUR` of the
    longer side. Raises `UserError` for a vision tower whose reading is not known.
    """
    rows_, columns = vision_tower(model.visual).grid
    height, width = images.shape[-2:]
    sigma = BLUR * max(height, width)
    pixels = images.float().cpu().numpy()
    smooth = ndimage.gaussian_filter(pixels, (0, 0, sigma, sigma), mode="nearest")
    blurred = torch.from_numpy(smooth).to(images)

    def erase(rows: Tensor, kept: Tensor) -> Tensor:
        visible = torch.zeros(len(rows), rows_ * columns, dtype=torch.bool).scatter_(1, kept, True)
        mask = visible.view(-1, 1, rows_, columns).float()
        sharp = F.interpolate(mask, (height, width), mode="nearest").to(images.device) > 0
        return encode_images(model, torch.where(sharp, images[rows], blurred[rows]))

    return erase
