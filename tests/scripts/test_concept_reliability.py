"""`python -m scripts.concept_reliability`: truths from sentences, thresholds, and the real CLIP."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mapcap.audit.concepts import Concept, read_reliabilities
from mapcap.datasets.sample import sample_path
from mapcap.networks.clip import load_clip
from mapcap.networks.embedded import MINI
from scripts.build_mini.people import Described
from scripts.concept_reliability import measure, phrases_of, reliability, truths, write


def photo(*sentences: str, file: str = "a.jpg") -> Described:
    return Described(file, "dev", sentences)


def test_two_sentences_must_name_it_or_a_kind_of_it() -> None:
    dog = Concept("animals", "a dog", also=("puppy", "puppies"))
    photos = [
        photo("two dogs run.", "a puppy runs.", "snow."),
        photo("a dog runs.", "an animal runs."),
        photo("a dogged man.", "hotdog."),
    ]
    told = [[phrases_of(sentence) for sentence in each.sentences] for each in photos]
    assert truths(dog, told).tolist() == [True, False, False]


def test_auc_and_threshold_by_hand() -> None:
    true = np.arange(30) >= 18
    scores = np.arange(30) / 10
    scores[[0, 29]] = scores[[29, 0]]
    measured = reliability(scores, true)
    assert measured is not None and measured.photos == 12
    # Of 12 x 18 pairs those of the two that changed places are lost: 18 + 12 - 1.
    assert measured.auc == pytest.approx(1 - 29 / 216)
    assert measured.threshold == pytest.approx(1.7)
    assert reliability(scores, np.arange(30) >= 25) is None


def test_what_is_written_is_read_for_the_same_weights(tmp_path: Path) -> None:
    measured = reliability(np.arange(40) / 40, np.arange(40) >= 20)
    assert measured is not None
    write(tmp_path / "r.tsv", {"people": measured}, "abc")
    (term,) = read_reliabilities(tmp_path / "r.tsv", "abc")
    assert term == "people" and not read_reliabilities(tmp_path / "r.tsv", "def")


def test_the_embedded_clip_tells_birds_from_fruit() -> None:
    photos = [
        photo(f"a {name}.", f"the {name}.", file=f"{name}/{path.name}")
        for name in ("bird", "fruit")
        for path in sorted((sample_path() / name).glob("*.webp"))[:12]
    ]
    measured = measure(load_clip(MINI, device=torch.device("cpu")), photos, sample_path())
    assert measured["a bird"].photos == 12 and measured["a bird"].auc >= 0.8
