"""Which captions speak of the rendering."""

from pathlib import Path

import pytest

from mapcap.artefacts import artefact_phrases, is_artefact

CLIPCAP = Path(__file__).parents[3] / "shared/data/clipcap-captions"


@pytest.mark.parametrize(
    "text",
    [
        "a cat on a black background.",
        "A Close-Up of a tomato.",
        "close  up of a bird's eye.",
        "a blurry street.",
        "slow motion footage of a street",
        "realistic render of an egg.",
        "a heart isolated on white.",
    ],
)
def test_captions_of_the_rendering_are_found(text: str) -> None:
    assert is_artefact(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a grey house cat with dark grey patches.",
        "a man is playing a video game with a joystick.",
        "person is a talented self - taught photographer.",
        "an iconic red telephone.",
        "a surrender of arms.",
        "the macros of a program.",
    ],
)
def test_captions_of_the_world_are_not(text: str) -> None:
    assert not is_artefact(text)


def test_every_phrase_of_the_list_is_found_by_itself_and_in_a_sentence() -> None:
    for phrase in artefact_phrases():
        plain = phrase.replace("*", "")
        assert is_artefact(plain), phrase
        assert is_artefact(f"This is a {plain.upper()}, or so."), phrase
        assert phrase.endswith("*") or not is_artefact(f"x{plain}x"), phrase


def test_phrases_are_lower_case_and_stand_once() -> None:
    phrases = artefact_phrases()
    assert len(set(phrases)) == len(phrases)
    assert all(phrase == phrase.lower().strip() for phrase in phrases)


@pytest.mark.skipif(not CLIPCAP.is_dir(), reason="real captions are not beside the project")
def test_masks_leave_more_artefacts_in_real_captions_than_crops() -> None:
    shares = {}
    for folder in CLIPCAP.iterdir():
        lines = [
            line
            for file in folder.glob("*.txt")
            for line in file.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        shares[folder.name] = sum(map(is_artefact, lines)) / len(lines)
    masked = shares.pop("heatmap_mask_no_segmenting")
    assert masked > 0.5
    assert all(0.2 < share < 0.4 for share in shares.values()), shares
