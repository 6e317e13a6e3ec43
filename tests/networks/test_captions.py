from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import Caption
from mapcap.texts.captions import caption_cosines, distinct, is_empty, tidy

CPU = torch.device("cpu")


@given(st.lists(st.sampled_from(["a dog.", "a cat.", ".", "", "a dog"])))
def test_distinct_texts_with_counts(texts: list[str]) -> None:
    found = distinct(texts)
    assert [found.texts[i] for i in found.index] == texts
    assert len(set(found.texts)) == len(found.texts)
    assert [texts.count(text) for text in found.texts] == found.counts
    assert found.texts == sorted(found.texts, key=texts.index)


@pytest.mark.parametrize(
    ("text", "wanted"), [(" a dog .", "a dog ."), ("a\n\tdog. ", "a dog."), ("", ""), (".", ".")]
)
def test_texts_have_single_spaces(text: str, wanted: str) -> None:
    assert tidy(Caption(text, (1, 2), -0.5)) == Caption(wanted, (1, 2), -0.5)


def test_empty_captions_are_known() -> None:
    assert [is_empty(text) for text in (".", "", " . ", "a.")] == [True, True, True, False]


@pytest.fixture(params=["float", "int8"])
def clip(request: pytest.FixtureRequest, clip_folder: Path, mini_clip: tuple[Path, object]) -> Clip:
    folder = clip_folder if request.param == "float" else mini_clip[0]
    return load_clip(f"local-dir:{folder}", device=CPU)


@torch.inference_mode()
def test_cosines_are_those_of_each_pair_alone(clip: Clip) -> None:
    texts = ["a brown dog.", "a red car.", "a brown dog.", "the cat.", "."]
    torch.manual_seed(0)
    embeddings = torch.randn(5, clip.embed_dim) * 7
    found = caption_cosines(clip, texts, embeddings, batch_size=2)
    for text, embedding, cosine in zip(texts, embeddings, found, strict=True):
        encoded = clip.model.encode_text(clip.tokenizer([text]))[0]
        plain = encoded.double() @ embedding.double() / encoded.norm() / embedding.norm()
        assert cosine.item() == pytest.approx(plain.item(), abs=1e-5)


def test_each_text_is_encoded_once(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    encode = clip.model.encode_text

    def counting(tokens: torch.Tensor, normalize: bool) -> torch.Tensor:
        encoded.append(len(tokens))
        return encode(tokens, normalize=normalize)

    monkeypatch.setattr(clip.model, "encode_text", counting)
    texts = ["a dog.", "a cat."] * 5
    caption_cosines(clip, texts, torch.ones(10, clip.embed_dim))
    assert encoded == [2]


def test_cosines_of_nothing_and_of_unequal_numbers(clip: Clip) -> None:
    assert caption_cosines(clip, [], torch.empty(0, clip.embed_dim)).shape == (0,)
    with pytest.raises(ValueError, match="1 texts for 2 embeddings"):
        caption_cosines(clip, ["a dog."], torch.ones(2, clip.embed_dim))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a green and green bird.", "a green bird."),
        ("a dark brown and dark brown and dark brown cow.", "a dark brown cow."),
        ("a dark brown and brown cow.", "a dark brown cow."),
        ("a red and redder cat and cat.", "a red and redder cat."),
        ("a brown and dark brown cow.", "a brown and dark brown cow."),
        ("a blue blue bluebird.", "a blue bluebird."),
        ("a green green green green candy.", "a green candy."),
        ("a black dog and a black dog play.", "a black dog play."),
        ("a man and a woman and a man.", "a man and a woman and a man."),
    ],
)
def test_a_repetition_is_said_once(text: str, wanted: str) -> None:
    assert tidy(Caption(text, (1,), -0.5)).text == wanted
