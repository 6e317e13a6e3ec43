"""`--decoding`: how a ClipCap comes to a caption, from the configuration on; others refuse it."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mapcap.colours import FAMILIES, RegionColours, colour_words, colours_are_there
from mapcap.config import DECODINGS, IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch
from mapcap.networks.captioners.registry import check_captioner, load_captioner
from mapcap.networks.captioners.reranked import BEAMS, LIKELY, SURE
from mapcap.networks.clip import Clip, load_clip
from mapcap.presets import with_preset
from mapcap.texts.captions import tidy
from mapcap.texts.humans import names_human

PLAIN = IndexConfig(photos="")


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip("mini", device=torch.device("cpu"))


@pytest.fixture(scope="module")
def features(clip: Clip) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return 8 * torch.randn(12, clip.embed_dim, generator=generator)


def captioner_of(decoding: str, clip: Clip) -> Any:
    return load_captioner(IndexConfig(photos="", decoding=decoding), clip, torch.device("cpu"))


def test_the_embedded_captioner_searches_as_it_is_told(clip: Clip, features: torch.Tensor) -> None:
    said = {}
    for decoding in DECODINGS:
        captioner = captioner_of(decoding, clip)
        captions = captioner.caption(RegionBatch(features))
        if decoding != "rerank":
            assert captions == captioner.clipcap.generate(features, method=decoding)
        said[decoding] = tuple(caption.text for caption in captions)
    assert len(set(said.values())) == len(DECODINGS)


def test_reranking_keeps_what_the_clip_finds_nearest_and_likely(
    clip: Clip, features: torch.Tensor
) -> None:
    """Region by region, with the text tower as it is, one text at a time."""
    captioner = captioner_of("rerank", clip)
    captions = captioner.caption(RegionBatch(features))
    others = 0
    for row, caption in zip(features, captions, strict=True):
        alone = row[None]
        [beams] = captioner.clipcap.likeliest(alone, BEAMS)
        scores: dict[str, float] = {}
        p = [math.exp(each.log_probability * len(each.token_ids)) for each in beams]
        some = sum(q for q, each in zip(p, beams, strict=True) if names_human(each.text))
        there = some > SURE * sum(p)
        for each in map(tidy, beams):
            with torch.inference_mode():
                text = clip.model.encode_text(clip.tokenizer([each.text]))
            cosine = F.cosine_similarity(text, alone).item()
            if names_human(each.text) == there:
                score = cosine + LIKELY * each.log_probability
                scores[each.text] = max(score, scores.get(each.text, score))
        assert scores[caption.text] == pytest.approx(max(scores.values()), abs=1e-4)
        others += caption.text != tidy(beams[0]).text
    assert others  # it is not the likeliest one every time


def test_the_likeliest_captions_come_first_and_are_all_different(
    clip: Clip, features: torch.Tensor
) -> None:
    clipcap = captioner_of("greedy", clip).clipcap
    found = clipcap.likeliest(features, 4)
    assert [row[0] for row in found] == clipcap.generate(features, method="beam", beams=4)
    for row in found:
        likely = [caption.log_probability for caption in row]
        assert likely == sorted(likely, reverse=True)
        assert len({caption.token_ids for caption in row}) == 4
    assert clipcap.likeliest(features[:0], 4) == []


def test_a_colour_that_is_not_there_is_seldom_said(clip: Clip, features: torch.Tensor) -> None:
    captioner = captioner_of("rerank", clip)
    blind = captioner.caption(RegionBatch(features))
    unknown = captioner.caption(RegionBatch(features, colours=[None] * len(features)))
    assert unknown == blind
    nothing = dict.fromkeys(FAMILIES, 0.0)
    shares = [{**nothing, **dict.fromkeys(colour_words(caption.text), 0.5)} for caption in blind]
    # Of what is there already nothing changes; of what is not, all that can.
    there = [RegionColours(each, each) for each in shares]
    assert captioner.caption(RegionBatch(features, colours=there)) == blind
    only = {**nothing, "purple": 1.0}
    purple = [RegionColours(only, only)] * len(features)
    seen = captioner.caption(RegionBatch(features, colours=purple))
    true = [colours_are_there(each.text, only) is not False for each in (*blind, *seen)]
    assert sum(true[len(blind) :]) > sum(true[: len(blind)])


def test_a_reranked_caption_does_not_depend_on_its_batch(
    clip: Clip, features: torch.Tensor
) -> None:
    captioner = captioner_of("rerank", clip)
    together = captioner.caption(RegionBatch(features))
    apart = [captioner.caption(RegionBatch(row[None]))[0] for row in features]
    assert [each.text for each in together] == [each.text for each in apart]
    # Nor on the last bits of the features, in which a run that was resumed may differ.
    nearly = captioner.caption(RegionBatch(features * (1 + 1e-6)))
    assert [each.text for each in together] == [each.text for each in nearly]
    assert captioner.caption(RegionBatch(features[:0])) == []


def test_a_preset_says_how_its_own_captioner_decodes() -> None:
    assert with_preset(PLAIN, "mini").decoding == "rerank"
    assert with_preset(PLAIN, "poster").decoding == "greedy"
    assert with_preset(PLAIN, "mini", captioner="phrases").decoding == "greedy"
    assert with_preset(PLAIN, "mini", model="ViT-B-32").decoding == "greedy"
    assert with_preset(PLAIN, "mini", decoding="beam").decoding == "beam"
    assert with_preset(PLAIN, "poster", decoding="rerank").decoding == "rerank"


@pytest.mark.parametrize("captioner", ["phrases", "blip:no-such-network"])
@pytest.mark.parametrize("decoding", ["beam", "rerank"])
def test_what_is_no_clipcap_is_refused_at_once(captioner: str, decoding: str) -> None:
    config = IndexConfig(photos="", captioner=captioner, decoding=decoding)
    with pytest.raises(
        UserError, match=f"--decoding {decoding}: --captioner {captioner} is no ClipCap"
    ):
        check_captioner(config)
