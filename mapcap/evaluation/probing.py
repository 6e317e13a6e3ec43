"""Measuring images with the network at hand: faithfulness, sanity, captions against the rest."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.evaluation.samples import Sampled
from mapcap.metrics.faithfulness import blurring, curves, dropping, patch_orders
from mapcap.metrics.sanity import rank_correlation, shuffled
from mapcap.networks.clip import Clip
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.towers import vision_tower
from mapcap.relevance import METHODS, Asked, open_scene
from mapcap.representations import pooled
from mapcap.texts.captions import caption_cosines, is_empty

ImageFigures = dict[int, dict[str, float]]


class Probe:
    """A network and its class weights, to measure images with."""

    def __init__(
        self, clip: Clip, weights: Tensor, class_ids: Sequence[int], config: IndexConfig
    ) -> None:
        self._clip, self._weights, self._config, self._seed = clip, weights, config, config.seed
        self._places = {class_id: place for place, class_id in enumerate(class_ids)}

    def measure(self, sampled: Sampled) -> ImageFigures:
        """Return the figures of images by id; one whose map is empty has nothing but that."""
        nonempty: NDArray[np.bool_] = np.asarray(sampled.grids.any((1, 2)))
        figures: ImageFigures = {
            image.id: {"maps-empty": 1.0}
            for image, mask in zip(sampled.images, nonempty, strict=True)
            if not mask
        }
        mapped = sampled.those(nonempty)
        if not mapped.images:
            return figures
        values = {**self.faithfulness(mapped), **self.sanity(mapped), **self.captions(mapped)}
        for place, image in enumerate(mapped.images):
            measured = {name: float(series[place]) for name, series in values.items()}
            # A rank correlation with a constant map, or a caption without a rest, is no figure.
            figures[image.id] = {name: v for name, v in measured.items() if np.isfinite(v)}
        return figures

    def faithfulness(self, sampled: Sampled) -> dict[str, NDArray[np.float64]]:
        """Return the areas of deletion and insertion, by tokens and by blur, (B,) each.

        Convolutions need the whole picture: there, by blur alone.
        """
        model = self._clip.model
        ways = {"tokens": dropping, "blur": blurring}
        if isinstance(vision_tower(model.visual), ConvolutionalTower):
            del ways["tokens"]
        seeds = [(self._seed, image.id) for image in sampled.images]
        orders = patch_orders(sampled.grids, seeds)
        views = sampled.views.to(self._clip.device)
        values: dict[str, NDArray[np.float64]] = {}
        for way, eraser in ways.items():
            curve = curves(
                model, eraser(model, views), orders, self._weights, self._targets(sampled)
            )
            values |= {f"{way}-{name}": area for name, area in curve.areas().items()}
        return values

    def sanity(self, sampled: Sampled) -> dict[str, NDArray[np.float64]]:
        """Return how maps go with those of another text, image or network, (B,) each."""
        true, other = self._targets(sampled), self._others(sampled)
        of_true, of_other = self._maps(sampled, [true, other])
        values = {"sanity-image": rank_correlation(sampled.grids, sampled.neighbours)}
        if len(self._places) > 1:
            values["sanity-class"] = rank_correlation(of_true, of_other)
        blocks = list(vision_tower(self._clip.model.visual).blocks)
        depths = {"last-block": 1, "half": max(1, len(blocks) // 2), "all": len(blocks)}
        for name, depth in depths.items():
            with shuffled(blocks[-depth:], self._seed):
                (changed,) = self._maps(sampled, [true])
            values[f"sanity-{name}"] = rank_correlation(of_true, changed)
        return values

    def _maps(self, sampled: Sampled, targets: Sequence[Tensor]) -> list[NDArray[np.float32]]:
        method, layer = METHODS[self._config.relevance], self._config.relevance_start_layer
        # Tensors made in inference mode cannot be saved for the backward pass.
        with torch.inference_mode(False), torch.enable_grad():
            scene = open_scene(self._clip.model, sampled.views, self._weights)
            grids = [method(scene, Asked.of(target, target), layer) for target in targets]
        return [grid.float().cpu().numpy() for grid in grids]

    def _targets(self, sampled: Sampled) -> Tensor:
        return torch.tensor([self._places[image.class_id] for image in sampled.images])

    def _others(self, sampled: Sampled) -> Tensor:
        """Draw another class for each image; the own one where there is no other."""
        count = len(self._places)
        steps = [
            int(np.random.default_rng((self._seed, image.id)).integers(1, max(2, count)))
            for image in sampled.images
        ]
        return (self._targets(sampled) + torch.tensor(steps)) % count

    def captions(self, sampled: Sampled) -> dict[str, NDArray[np.float64]]:
        """Return how much nearer an image's captions are to their regions than to the rest, (B,).

        The mean over its regions; both sides pooled from the image's own tokens. NaN for an image
        without a captioned region that leaves a rest.
        """
        captioned = [
            (place, text, patches)
            for place, regions in enumerate(sampled.regions)
            for patches, text in regions
            if patches.any() and not patches.all() and not is_empty(text)
        ]
        nearer: NDArray[np.float64] = np.full(len(sampled.images), np.nan)
        if not captioned:
            return {"caption-contrast": nearer}
        owners = np.array([place for place, *_ in captioned])
        texts, masks = (
            [text for _, text, _ in captioned],
            np.stack([patches for *_, patches in captioned]),
        )
        inside, outside = (
            caption_cosines(self._clip, texts, self._pooled(sampled, owners, chosen)).double()
            for chosen in (masks, ~masks)
        )
        counts = np.bincount(owners, minlength=len(nearer))
        sums = np.bincount(owners, (inside - outside).numpy(), minlength=len(nearer))
        np.divide(sums, counts, out=nearer, where=counts > 0)
        return {"caption-contrast": nearer}

    def _pooled(
        self, sampled: Sampled, owners: NDArray[np.int64], masks: NDArray[np.bool_]
    ) -> Tensor:
        """Return the features (R, D) of parts of images: `masks` (R, gh, gw) of `owners` (R,)."""
        per_image = [masks[owners == place] for place in range(len(sampled.images))]
        return pooled(self._clip.model, sampled.views, per_image)
