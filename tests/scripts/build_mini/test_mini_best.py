from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.datasets.sample import sample_path
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.networks.embedded import MINI
from mapcap.texts.captions import tidy
from scripts.build_mini import best, people
from scripts.build_mini.best import (
    LIKELY,
    USUAL,
    best_captions,
    load_assembled,
    read_best,
    write_best,
)
from scripts.build_mini.judges import UNNAMED, Judge
from scripts.build_mini.people import Described
from scripts.build_mini.places import Places
from scripts.build_mini.shown import Seen, seen_people

COSINES = {"far.": 0.1, "near.": 0.8, "nearer.": 0.9}
APART = (1 - USUAL) * 0.1
"""What the nearer one's reward is ahead of the near one's, of a feature alone."""
NOBODY = SimpleNamespace(model=None, tokenizer=None)


class Speaker:
    """Says what it is told to, one list of captions after another."""

    def __init__(self, *said: Sequence[tuple[str, float]]) -> None:
        self.said = said

    def likeliest(self, features: Tensor, beams: int) -> list[list[Caption]]:
        assert len(self.said) == beams
        captions = [[Caption(text, (), log_p) for text, log_p in each] for each in self.said]
        return [list(row) for row in zip(*captions, strict=True)]


def fixed_embeddings(_model: Any, _tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Return vectors at the angles of `COSINES` from the first axis, of no particular length."""
    return torch.tensor([[3 * COSINES[t], 3 * (1 - COSINES[t] ** 2) ** 0.5] for t in texts])


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Choose among three captions of one feature."""
    monkeypatch.setattr(best, "class_weights", fixed_embeddings)
    monkeypatch.setattr(best, "BEAMS", 3)

    def run(
        *said: tuple[str, float], told: Sequence[str] = (), judge: Judge = lambda text: 0.0
    ) -> str:
        seen = Seen(torch.tensor([[7.0, 0.0]]), [judge], [told])
        speaker: Any = Speaker(*([each] for each in said))
        nobody: Any = NOBODY
        (text,) = best_captions(nobody, speaker, seen)
        return text

    return run


def test_the_nearest_of_likely_captions_is_chosen(choose: Callable[..., str]) -> None:
    assert choose(("near.", -1.0), (" nearer. ", -1.0), ("far.", -1.0)) == "nearer."
    assert choose(("nearer.", -1.0), ("near.", -1.0), ("far.", -1.0)) == "nearer."
    tie = APART / LIKELY  # nats that are worth the cosines between the two
    assert choose(("near.", 0.0), ("nearer.", -0.9 * tie), ("far.", 0.0)) == "nearer."
    assert choose(("near.", 0.0), ("nearer.", -1.1 * tie), ("far.", 0.0)) == "near."


def test_a_punished_caption_gives_way_and_is_never_taught(choose: Callable[..., str]) -> None:
    said = ("near.", -1.0), ("nearer.", -1.0), ("far.", -1.0)
    assert choose(*said, judge=lambda text: 0.2 * (text == "nearer.")) == "near."
    little = (UNNAMED + APART) / 2
    assert choose(*said, judge=lambda text: little * (text == "nearer.")) == "", "still the best"
    assert choose(*said, judge=lambda text: 0.2) == ""
    assert choose(*said, judge=lambda text: UNNAMED) == "nearer.", "that may be right"


def test_what_is_told_stands_beside_the_tries(choose: Callable[..., str]) -> None:
    said = ("near.", -1.0), ("far.", -1.0), ("far.", -1.0 - 1.1 * APART / LIKELY)
    assert choose(*said[:2], said[1], told=["nearer."]) == "nearer."
    assert choose(*said, told=["nearer."]) == "near.", "no likelier than the least likely try"
    assert choose(*[("far.", -1.0)] * 3, told=["near."], judge=lambda text: text == "far.") == (
        "near."
    ), "what the captioner never says can be taught"


def test_what_is_near_to_any_picture_says_little(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, both = (torch.tensor(v) for v in ([1.0, 0.0], [0.0, 1.0], [0.8, 0.6]))
    texts = {"first.": x, "second.": y, "any.": both}
    monkeypatch.setattr(
        best,
        "class_weights",
        lambda _model, _tokenizer, said: torch.stack([texts[t] for t in said]),
    )
    monkeypatch.setattr(best, "BEAMS", 1)
    pictures = torch.tensor([[0.85, 0.53], [0.1, 1.0]])
    told = [["first.", "second.", "any."]] * 2
    speaker: Any = Speaker([("any.", -1.0)] * 2)
    nobody: Any = NOBODY
    chosen = best_captions(nobody, speaker, Seen(pictures, [lambda text: 0.0] * 2, told))
    cosines = F.normalize(pictures, dim=1) @ torch.stack([x, y, both]).T
    expected = (cosines - USUAL * cosines.mean(0)).argmax(1).tolist()
    assert chosen == [told[0][i] for i in expected]
    assert cosines[0].argmax() == 2
    assert chosen[0] == "first.", "the nearest one is near to the other picture, too"


def batches(counts: Sequence[int]) -> Iterator[Seen]:
    """Show features that say which they are, among all."""
    first = 0
    for count in counts:
        rows = torch.arange(first, first + count)
        yield Seen(rows[:, None] * torch.ones(4), [lambda text: 0.0] * count, [()] * count)
        first += count


def test_rows_lead_to_what_was_shown_and_batches_are_not_captioned_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def every_third_punished(_clip: Any, _captioner: Any, seen: Seen) -> list[str]:
        asked.append(len(seen.features))
        shown = [int(row) for row in seen.features[:, 0]]
        return ["" if row % 3 == 0 else f"photo {row}." for row in shown]

    monkeypatch.setattr(best, "best_captions", every_third_punished)
    nobody: Any = NOBODY
    folder = Places(tmp_path).best
    folder.mkdir()
    write_best(nobody, nobody, batches([5, 4]), "people", folder)
    write_best(nobody, nobody, batches([5, 4, 3]), "people", folder)
    assert asked == [5, 4, 3]
    write_best(nobody, nobody, batches([1]), "stamps", folder)  # its only one is punished
    write_best(nobody, nobody, batches([3]), "things", folder)
    (folder / "people-0003.part.npz").write_bytes(b"cut off while it was written")
    found = read_best(folder)
    kept = [1, 2, 4, 5, 7, 8, 10, 11]
    assert found.kinds == ["people"] * len(kept) + ["things"] * 2
    assert found.rows == [*kept, 1, 2]
    assert found.texts == [f"photo {row}." for row in found.rows]
    assert torch.equal(found.features[:, 0], torch.tensor(found.rows).float())


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip(MINI, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def captioner() -> ClipCap:
    return load_assembled()


def test_the_embedded_networks_caption_people(
    clip: Clip, captioner: ClipCap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best, "BEAMS", 2)
    monkeypatch.setattr("scripts.build_mini.pictures.BATCH", 2)
    pictures = [min((sample_path() / name).iterdir()) for name in ("bird", "cat", "cow")]
    (tmp_path / people.FOLDER).mkdir()
    told = []
    for place, picture in enumerate(pictures):
        (tmp_path / people.FOLDER / f"{place}.webp").write_bytes(picture.read_bytes())
        # One sentence names a human, the other none: nothing is punished.
        told.append(Described(f"{place}.webp", "train", ("a man.", "a dog.")))
    write_best(clip, captioner, seen_people(clip, tmp_path, told), "people", tmp_path)
    found = read_best(tmp_path)
    assert found.rows == [0, 1, 2]
    for number, seen in enumerate(seen_people(clip, tmp_path, told)):
        rows = slice(2 * number, 2 * number + len(seen.judges))
        assert torch.allclose(found.features[rows], seen.features, rtol=1e-2, atol=1e-2)
        beams = captioner.likeliest(seen.features, 2)
        for text, row in zip(found.texts[rows], beams, strict=True):
            assert text in {"a man.", "a dog.", *(tidy(caption).text for caption in row)}
