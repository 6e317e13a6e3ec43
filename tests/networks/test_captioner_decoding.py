"""`--decoding`: how a ClipCap chooses tokens, from the configuration on; others refuse it."""

from typing import Any

import pytest
import torch

from mapcap.config import DECODINGS, IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch
from mapcap.networks.captioners.registry import check_captioner, load_captioner
from mapcap.networks.clip import load_clip


def test_the_embedded_captioner_searches_as_it_is_told() -> None:
    clip = load_clip("mini", device=torch.device("cpu"))
    torch.manual_seed(3)
    features = 8 * torch.randn(12, clip.embed_dim)
    said = {}
    for decoding in DECODINGS:
        config = IndexConfig(photos="", decoding=decoding)
        captioner: Any = load_captioner(config, clip, torch.device("cpu"))
        captions = captioner.caption(RegionBatch(features))
        assert captions == captioner.clipcap.generate(features, method=decoding)
        said[decoding] = [caption.text for caption in captions]
    assert said["greedy"] != said["nucleus"] != said["beam"] != said["greedy"]


@pytest.mark.parametrize("captioner", ["phrases", "blip:no-such-network"])
def test_what_is_no_clipcap_is_refused_at_once(captioner: str) -> None:
    config = IndexConfig(photos="", captioner=captioner, decoding="beam")
    with pytest.raises(UserError, match=f"--decoding beam: --captioner {captioner} is no ClipCap"):
        check_captioner(config)
