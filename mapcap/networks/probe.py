"""One random picture through every computation of a run: what fails, fails before it begins."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.explanation import Explanation, Method, explain
from mapcap.heads import text_head
from mapcap.networks.captioners import Captioner, RegionBatch
from mapcap.networks.clip import Clip
from mapcap.networks.failures import describe
from mapcap.networks.language_models import LanguageModel
from mapcap.networks.text_towers import text_tower
from mapcap.networks.tokens import proper_tokens, token_texts
from mapcap.pmi import pmi_matrix
from mapcap.relevance import chefer_text
from mapcap.texts.captions import caption_cosines
from mapcap.zero_shot import class_weights

_NAMES = ("a dog", "a red car")
_SENTENCES = ("a dog on green grass.", "a red car on the road.")


def probe(
    config: IndexConfig,
    clip: Clip,
    captioner: Captioner,
    lm: LanguageModel,
    half: torch.dtype | None = None,
) -> None:
    """Predict, map, embed regions, caption and weigh once, on noise.

    Raises:
        UserError: names the option whose network fails, and in what.
    """
    picture = _noise()
    with _naming(f"--model {config.model}", "predictions and maps"):
        explained = _explained(config, clip, picture, half)
    with _naming(f"--model {config.model}", "the relevance of class names"):
        _class_texts(clip, torch.from_numpy(explained.features))
    features = torch.from_numpy(explained.region_features)
    if not len(features):  # a map of noise may be empty
        features = torch.from_numpy(explained.features)
    features = features[:2].to(clip.device, clip.dtype)
    with _naming(f"--captioner {config.captioner}", "captions"):
        batch = RegionBatch(features, [picture] * len(features))
        texts = [caption.text for caption in captioner.caption(batch)]
        _require(len(texts) == len(features), f"{len(texts)} captions for {len(features)} regions")
    with _naming(f"--model {config.model}", "the cosines of captions"):
        _require_finite("cosines", caption_cosines(clip, texts, features).numpy())
    with _naming(f"--lm {config.lm}", "the PMI of two sentences"):
        pmi = pmi_matrix(_SENTENCES, lm.model, lm.tokenizer, packed=lm.packed)
        _require_finite("PMI", pmi.matrix)


def _noise() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    return Image.fromarray(values)


def _explained(
    config: IndexConfig, clip: Clip, picture: Image.Image, half: torch.dtype | None
) -> Explanation:
    """Explain the picture as of either class: one is right, and of the other all maps are made."""
    texts = class_weights(clip.model, clip.tokenizer, _NAMES, config.templates)
    views = torch.stack([clip.preprocess(picture)] * len(_NAMES))
    true = torch.arange(len(_NAMES))
    head = text_head(clip.model, texts)
    explained = explain(clip.model, views, head, true, Method.of(config), half)
    shape = explained.grids.shape[1:]
    _require(shape == clip.grid, f"maps of {shape}, where the picture has {clip.grid} patches")
    for name in ("features", "logits", "grids", "region_features"):
        _require_finite(name, getattr(explained, name))
    return explained


def _class_texts(clip: Clip, features: Tensor) -> None:
    tokens = clip.tokenizer(list(_NAMES))  # (K, L)
    proper = proper_tokens(clip.tokenizer, tokens, text_tower(clip.model).end(tokens))  # (K, L)
    relevance = chefer_text(clip.model, features.to(clip.device, clip.dtype), tokens, proper=proper)
    _require_finite("relevance", relevance.float().cpu().numpy())
    for row, mask in zip(tokens, proper, strict=True):
        token_texts(clip.tokenizer, row[mask].tolist())


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _require_finite(name: str, values: np.ndarray) -> None:
    _require(bool(np.isfinite(values).all()), f"its {name} are not finite numbers")


@contextmanager
def _naming(option: str, step: str) -> Iterator[None]:
    """Turn whatever fails into an error that names the option."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # other people's networks fail in any way there is
        raise UserError(
            f"{option}: tried on a picture of noise, it failed at {step} "
            f"({type(error).__name__}: {describe(error)}). Name another network there."
        ) from error
