import random
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import torch

from mapcap.networks.clipcap import ClipCap
from mapcap.networks.embedded import embedded
from mapcap.networks.language_models import load_language_model
from scripts.build_mini import refine as step
from scripts.build_mini.best import Best, load_assembled
from scripts.build_mini.corpus import train_tokenizer
from scripts.build_mini.people import Described
from scripts.build_mini.reading import CAPTION_TOKENS, END_ID, encode, padded
from scripts.build_mini.refine import (
    BATCH,
    MIXTURE,
    NOBODY,
    OWN_SENTENCE,
    RARER,
    assembled,
    caption_batches,
    refine,
)
from scripts.build_mini.words import Captioner

OFTEN, SELDOM, OWN = "a dog.", "a red kite.", "people wrote this of photo {}."
COPIES, BATCHES = 9, 64
LONG = f"a {'very ' * CAPTION_TOKENS}long one."


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    numbered = [OWN.format(row) for row in range(100)]
    return train_tokenizer([OFTEN, SELDOM, LONG, "one.", *numbered] * 5, 400)


@pytest.fixture(scope="module")
def said() -> Best:
    """Of people and of things nine captions are the same, one is another; grounds have none."""
    texts = [*[OFTEN] * COPIES, SELDOM, *[f"one {OFTEN}"] * COPIES, f"one {SELDOM}", LONG]
    kinds = [*["people"] * (COPIES + 1), *["things"] * (COPIES + 1), "stamps"]
    rows = [*range(50, 50 + COPIES + 1), *range(COPIES + 1), 0]
    return Best(torch.zeros(len(texts), 384), texts, kinds, rows)


def described(*sentences: str) -> Described:
    return Described("", "train", sentences)


def test_rare_captions_and_peoples_own_sentences_are_drawn(tokenizer: Any, said: Best) -> None:
    own = [OWN.format(row) for row in range(100)]
    texts = [*own, *set(said.texts)]
    ids = [tuple(each[:CAPTION_TOKENS]) for each in encode(tokenizer, texts)]
    read = dict(zip(ids, texts, strict=True))
    drawn: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for batch in islice(
        caption_batches(said, [described(text) for text in own], tokenizer, random.Random(0)),
        BATCHES,
    ):
        assert len(batch) == BATCH
        for (*tokens, end), place in batch:
            assert end == END_ID
            kind, text = said.kinds[place], read[tuple(tokens)]
            kinds[kind] += 1
            drawn[kind, said.texts[place]] += 1
            if text != said.texts[place]:
                assert kind == "people" and text == OWN.format(said.rows[place])
                kinds["own"] += 1
    assert set(said.kinds) == set(MIXTURE) - {"pasted", "grounds"}
    there = 1 - MIXTURE["pasted"] - MIXTURE["grounds"]
    for kind in set(said.kinds):
        assert kinds[kind] / (BATCHES * BATCH) == pytest.approx(MIXTURE[kind] / there, abs=0.03)
    assert kinds["own"] / kinds["people"] == pytest.approx(OWN_SENTENCE, abs=0.04)
    for kind, seldom in (("people", SELDOM), ("things", f"one {SELDOM}")):
        expected = 1 / (1 + COPIES ** (1 - RARER[kind]))  # and 1 in 10 if all were drawn alike
        assert drawn[kind, seldom] / kinds[kind] == pytest.approx(expected, abs=0.05)


def test_photos_of_nobody_are_drawn_more_often(tokenizer: Any) -> None:
    texts = [f"one {number}." for number in range(4)]  # no caption tells them apart
    own = [
        described("a man runs.", "a dog runs."),
        described("a dog runs."),
        described("a man."),
        described("grass.", "a meadow."),
    ]
    rows = [3, 2, 1, 0]
    photos = Best(torch.zeros(4, 384), texts, ["people"] * 4, rows)
    drawn: Counter[int] = Counter()
    for batch in islice(caption_batches(photos, own, tokenizer, random.Random(0)), BATCHES):
        drawn.update(photos.rows[place] for _, place in batch)
    nobody, human = (drawn[1], drawn[3]), (drawn[0], drawn[2])
    for often, seldom in zip(nobody, human, strict=True):
        assert often / seldom == pytest.approx(NOBODY, rel=0.1)


def test_a_few_steps_lower_the_loss_of_the_captions(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(step, "STEPS", 60)
    torch.manual_seed(0)
    network = Captioner(len(tokenizer))
    features = torch.randn(2, 384) * 20
    network.expect_length(features.norm(dim=1).median().item())
    captions = [[*ids, END_ID] for ids in encode(tokenizer, [OFTEN, SELDOM])]

    def loss() -> float:
        with torch.no_grad():
            return network.caption_loss(features, *padded(captions)).item()

    before = loss()
    batch = [(captions[i % 2], i % 2) for i in range(8)]
    refine(network, features, cycle([batch]), cycle([[([END_ID, *captions[0][:-1]],)]]))
    assert loss() < before / 2
    assert "step 50: captions" in capsys.readouterr().out


@pytest.fixture(scope="module")
def clipcap() -> ClipCap:
    return load_assembled()


def test_it_begins_with_the_packages_networks_and_leaves_what_it_can_load(
    clipcap: ClipCap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = torch.randn(6, 384, generator=torch.Generator().manual_seed(0)) * 5
    features = torch.nn.functional.normalize(features, dim=1) * 30

    def captions(network: Captioner, folder: Path) -> list[str]:
        folder.mkdir()
        tokenizer: Any = clipcap.tokenizer
        tokenizer.save_pretrained(folder)
        network.eval().save(folder, folder / "clipcap.pt")
        language = load_language_model(str(folder), device=torch.device("cpu"))
        loaded = ClipCap.from_checkpoint(
            folder / "clipcap.pt", language_model=language.model, tokenizer=language.tokenizer
        )
        return [caption.text for caption in loaded.generate(features)]

    network = assembled(clipcap.language_model, embedded("clipcap.safetensors"))
    unchanged = [caption.text for caption in clipcap.generate(features)]
    assert captions(network, tmp_path / "before") == unchanged
    kept = [parameter.clone() for parameter in clipcap.language_model.parameters()]
    monkeypatch.setattr(step, "STEPS", 80)
    tokenizer: Any = clipcap.tokenizer
    wanted = [*encode(tokenizer, ["a blue bird on the beach."])[0], END_ID]
    batch = [(wanted, row) for row in range(len(features))]
    refine(network, features, cycle([batch]), cycle([[([END_ID, *wanted[:-1]],)]]))
    told = captions(network, tmp_path / "after")
    assert [text.strip() for text in told] == ["a blue bird on the beach."] * len(features)
    # `best` may still be using the package's own.
    after = clipcap.language_model.parameters()
    assert all(torch.equal(old, new) for old, new in zip(kept, after, strict=True))
