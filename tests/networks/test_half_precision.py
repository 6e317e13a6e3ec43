"""The embedded CLIP in bfloat16 on real photos: how far its results move."""

import numpy as np
import torch

from mapcap.config import IndexConfig
from mapcap.datasets import read_image
from mapcap.datasets.sample import sample_path
from mapcap.explanation import Method, explain
from mapcap.heads import text_head
from mapcap.networks.clip import load_clip
from mapcap.zero_shot import class_weights

CLASSES = ("bird", "fruit", "tool")


def test_bfloat16_moves_the_embedded_clip_by_rounding_alone() -> None:
    clip = load_clip("mini", device=torch.device("cpu"))
    files = [sorted((sample_path() / name).glob("*.webp"))[:2] for name in CLASSES]
    pictures = [read_image(file).image for pair in files for file in pair]
    views = torch.stack([clip.preprocess(picture) for picture in pictures if picture is not None])
    head = text_head(clip.model, class_weights(clip.model, clip.tokenizer, CLASSES))
    true = torch.tensor([0, 0, 1, 1, 2, 2])
    method = Method.of(IndexConfig(photos="sample"))
    whole = explain(clip.model, views, head, true, method)
    half = explain(clip.model, views, head, true, method, torch.bfloat16)
    assert not np.array_equal(half.features, whole.features)
    cosines = (half.features * whole.features).sum(1) / (
        np.linalg.norm(half.features, axis=1) * np.linalg.norm(whole.features, axis=1)
    )
    assert cosines.min() > 0.999
    # The class predicted may be another where two are nearly equal: one of these six photos' is.
    np.testing.assert_allclose(half.logits, whole.logits, atol=0.25)
    shift = np.abs(half.predictions.true_probability - whole.predictions.true_probability)
    assert shift.max() < 0.1
