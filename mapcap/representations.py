"""A region to its features: read off the image's own tokens, or from a picture of the region.

`pooled` invents no pixels: the query that the output is read from, CLS or an attention pool's,
attends only to the region's patches (or the mean is taken of them alone), then the rest of the
layer and the head follow as usual. The other five are the poster's: they draw
a picture and embed it as any other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.last_layer import Last, before_last_layer, read_regions
from mapcap.networks.towers import ClipModel, Tower, as_input, vision_tower
from mapcap.regions import Region, heat, upsample
from mapcap.salience import salient

REPRESENTATIONS = ("pooled", "crop", "mask", "mask-all", "blur", "weighted")

BLUR = 0.05  # standard deviation of the background's blur, share of the view's longer side

_OF_THE_WHOLE_MAP = ("mask-all", "weighted")  # one picture an image, whatever its regions

Picture = NDArray[np.float32]  # (H, W, 3) in [0, 1]


def encode_images(model: ClipModel, images: Tensor) -> Tensor:
    """Features (B, D) of preprocessed images (B, 3, H, W), not normalised, without a graph."""
    with torch.no_grad():
        return model.encode_image(as_input(model.visual, images))


def embed_regions(
    model: ClipModel,
    images: Tensor,
    grids: NDArray[np.floating[Any]],
    regions: Sequence[Sequence[Region]],
    representation: str = "pooled",
    threshold: str = "mean",
) -> Tensor:
    """Features of all regions of a batch, not normalised: (sum R_i, D), in the order of `regions`.

    `images` (B, 3, H, W) preprocessed; `grids` (B, gh, gw) relevance; `regions` one sequence an
    image, from `find_regions` with size (H, W); `representation` one of `REPRESENTATIONS`;
    `threshold` the rule the regions were found with. `mask-all` and `weighted` picture the whole
    map, so the regions of one image share their features. Raises `UserError` for `pooled` with a
    vision tower whose reading is not known.
    """
    if representation not in REPRESENTATIONS:
        raise ValueError(f"representation {representation!r} is not one of {REPRESENTATIONS}")
    if representation == "pooled":
        masks = [np.array([region.patches for region in group], dtype=bool) for group in regions]
        return pooled(model, images, masks)
    mean, std = _normalisation(model)
    views = (images.float().cpu() * std + mean).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    whole = representation in _OF_THE_WHOLE_MAP
    pictures = []
    for view, grid, group in zip(views, grids, regions, strict=True):
        relevance = heat(grid, view.shape[:2])
        marked = salient(upsample(grid, view.shape[:2]), threshold)
        for region in group[:1] if whole else group:
            picture = draw(representation, view, relevance, region, marked)
            pictures.append(_resized(picture, images.shape[-2:]))  # (3, H, W)
    if not pictures:
        return encode_images(model, images[:1])[:0]
    batch = (torch.stack(pictures) - mean) / std
    features = torch.cat([encode_images(model, part) for part in torch.split(batch, len(images))])
    if whole:
        counts = torch.tensor([len(group) for group in regions if group], device=features.device)
        features = features.repeat_interleave(counts, dim=0)
    return features


def draw(
    representation: str,
    view: Picture,
    relevance: NDArray[np.floating[Any]],
    region: Region,
    marked: NDArray[np.bool_],
) -> Picture:
    """Picture of a region after the poster's recipes; any but `pooled` of `REPRESENTATIONS`.

    `view` (H, W, 3) in [0, 1]: the image as the model sees it, before mean and std; `relevance`
    (H, W) in [0, 1], as `heat` gives it; `marked` (H, W) what of it is `salient`. Returns
    (H, W, 3), for `crop` the box alone.
    """
    weights = relevance[..., None].astype(np.float32)  # (H, W, 1)
    inside = region.mask[..., None]  # (H, W, 1)
    match representation:
        case "crop":
            x0, y0, x1, y1 = region.box
            return view[y0:y1, x0:x1]
        case "mask":
            return view * weights * inside
        case "mask-all":
            return view * weights * marked[..., None]
        case "blur":
            sigma = BLUR * max(view.shape[:2])
            blurred = ndimage.gaussian_filter(view, (sigma, sigma, 0), mode="nearest")
            return np.where(inside, view, blurred)
        case "weighted":
            return view * weights
    raise ValueError(f"{representation!r} draws no picture")


def pooled(model: ClipModel, images: Tensor, masks: Sequence[NDArray[np.bool_] | Tensor]) -> Tensor:
    """Features of regions read off the images' own tokens, not normalised: (sum R_i, D).

    `images` (B, 3, H, W) preprocessed; `masks` one (R_i, gh, gw) bool an image, each with at least
    one patch. The images take one forward pass up to the last block; each region adds the attention
    of a single query, and the rest of that block and the head on a single token; of a convolutional
    tower the head, on the region's cells. Raises `ValueError` for an empty mask, `UserError` for a
    vision tower whose reading is not known.
    """
    tower = vision_tower(model.visual)
    return pool_regions(tower, before_last_layer(model, tower, images), masks)


def pool_regions(tower: Tower, last: Last, masks: Sequence[NDArray[np.bool_] | Tensor]) -> Tensor:
    """Features of regions (sum R_i, D) as `pooled`, of images that stand at the last layer."""
    patches = tower.grid[0] * tower.grid[1]
    visible = torch.cat([torch.as_tensor(mask).bool().reshape(-1, patches) for mask in masks])
    if not visible.any(1).all():
        raise ValueError("each region's mask needs at least one patch")
    counts = torch.tensor([len(mask) for mask in masks])
    owner = torch.arange(len(masks)).repeat_interleave(counts)  # (R,)
    with torch.no_grad():
        return read_regions(tower, last, owner, visible)


def _normalisation(model: ClipModel) -> tuple[Tensor, Tensor]:
    """Mean and std of the model's own preprocessing, (3, 1, 1) each."""
    config = open_clip.get_model_preprocess_cfg(model)
    mean = config.get("mean", open_clip.OPENAI_DATASET_MEAN)
    std = config.get("std", open_clip.OPENAI_DATASET_STD)
    return torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)


def _resized(picture: Picture, size: Sequence[int]) -> Tensor:
    """Picture (h, w, 3) as (3, H, W) of the model's input size."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]
    if pixels.shape[-2:] != tuple(size):
        pixels = F.interpolate(pixels, tuple(size), mode="bicubic", antialias=True).clamp(0, 1)
    return pixels[0]
