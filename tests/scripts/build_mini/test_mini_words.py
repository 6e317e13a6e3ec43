import random
from pathlib import Path

import numpy as np
import pytest
import torch

from mapcap.networks.clipcap import ClipCap
from mapcap.networks.language_models import load_language_model
from scripts.build_mini import words
from scripts.build_mini.appearance import Appearance, Colour, Nouns
from scripts.build_mini.corpus import train_tokenizer
from scripts.build_mini.features import Pair
from scripts.build_mini.reading import CAPTION_TOKENS, Pairs, padded
from scripts.build_mini.words import NOISE, PREFIX, Captioner, noisy, perplexity, train


@pytest.fixture
def network() -> Captioner:
    torch.manual_seed(0)
    return Captioner(60).eval()


def test_caption_loss_is_that_of_the_tokens_after_the_prefix(network: Captioner) -> None:
    features = torch.randn(2, 384)
    captions = [[4, 5, 6, 0], [7, 0]]
    with torch.no_grad():
        found = network.caption_loss(features, *padded(captions)).item()
        total = 0.0
        for feature, ids in zip(features, captions, strict=True):
            prefix = network.mapper(feature).view(PREFIX, -1)
            words = network.gpt.transformer.wte(torch.tensor(ids))
            logits = network.gpt(inputs_embeds=torch.cat([prefix, words])[None]).logits[0]
            for place, token in enumerate(ids):
                total -= logits[PREFIX - 1 + place].log_softmax(0)[token].item()
    assert found == pytest.approx(total / 6, rel=1e-4)


def test_text_loss_and_perplexity(network: Captioner) -> None:
    sequences = [[0, 8, 9, 10], [0, 11]]
    total = 0.0
    with torch.no_grad():
        for ids in sequences:
            log_p = network.gpt(torch.tensor([ids])).logits[0].log_softmax(1)
            total -= sum(log_p[place, ids[place + 1]].item() for place in range(len(ids) - 1))
    assert perplexity(network, sequences) == pytest.approx(np.exp(total / 4), rel=1e-4)


def test_training_goes_on_from_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(words, "KEEP_EVERY", 0.0)
    kept, batch = tmp_path / "kept.pt", [([4, 5, 0], 0), ([6, 0], 1)]
    texts = iter([[([0, 7],)]] * 100)
    features = torch.randn(2, 384)
    with pytest.raises(StopIteration):
        train(Captioner(60), features, iter([batch] * 51), texts, 10, kept)
    assert "step 1:" in capsys.readouterr().out
    again = Captioner(60)
    with pytest.raises(StopIteration):
        train(again, features, iter([batch] * 51), texts, 10, kept)
    assert "step 101:" in capsys.readouterr().out
    train(Captioner(60), features, iter([]), texts, 1e-6, kept)  # its time is spent


def test_noise_is_a_share_of_the_length() -> None:
    torch.manual_seed(0)
    features = torch.randn(50, 384) * torch.tensor([1.0, 30.0]).repeat(25)[:, None]
    moved = (noisy(features, NOISE) - features).norm(dim=1) / features.norm(dim=1)
    assert torch.allclose(moved, torch.full((50,), NOISE), rtol=0.2)


def test_what_is_trained_captions_in_the_package(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rng = random.Random(0)
    looks = [
        Appearance((Colour(name, name, 1.0),), (), (), "", "", "", "", "", "")
        for name in ("red", "blue")
    ]
    said = [Pair(look=look, label=label) for label, look in enumerate(looks)]
    pairs = Pairs(said, [Nouns("lemon", (), ()), Nouns("cat", (), ())], [])
    tokenizer = train_tokenizer(
        ["a red lemon.", "a blue cat.", "the cat is blue.", "one red lemon."] * 5, 300
    )
    batch = next(pairs.batches(tokenizer, rng))
    assert all(ids[-1] == 0 and len(ids) <= CAPTION_TOKENS + 1 for ids, _ in batch)

    captions = [[*tokenizer.encode(f" {said}"), 0] for said in ("a red lemon.", "a blue cat.")]
    simple = iter([[(captions[i % 2], i % 2) for i in range(4)]] * 120)
    texts = iter([[([0, *captions[0][:-1]],)]] * 60)
    features = torch.randn(2, 384) * 20
    network = Captioner(len(tokenizer))
    network.expect_length(features.norm(dim=1).median().item())
    with pytest.raises(StopIteration):  # it would go on for longer
        train(network, features, simple, texts, 10, tmp_path / "kept.pt")
    tokenizer.save_pretrained(tmp_path / "lm")
    network.eval().save(tmp_path / "lm", tmp_path / "clipcap.pt")
    language = load_language_model(str(tmp_path / "lm"), device=torch.device("cpu"))
    clipcap = ClipCap.from_checkpoint(
        tmp_path / "clipcap.pt", language_model=language.model, tokenizer=language.tokenizer
    )
    found = [caption.text.strip() for caption in clipcap.generate(features)]
    assert found == ["a red lemon.", "a blue cat."]
