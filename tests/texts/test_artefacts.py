"""Which captions describe the image rather than its content."""

from pathlib import Path

import pytest

from mapcap.texts.artefacts import artefact_phrases, is_artefact, world_phrases

CLIPCAP = Path(__file__).parents[3] / "shared/data/clipcap-captions"


@pytest.mark.parametrize(
    "text",
    [
        "a cat on a black background.",
        "A Close-Up of a tomato.",
        "close  up of a bird's eye.",
        "close - up of a bird's eye.",
        "the closeup\nof a bird.",
        "a blurry street.",
        "slow motion footage of a street",
        "realistic render of an egg.",
        "a heart isolated on white.",
        "the video shows a man's hand.",
        "a photo of a man taking a photo.",
        "a man taking a picture, with a blurred tree.",
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
        "a man taking a photo of himself with a smartphone.",
        "A woman Takes Pictures of her children.",
        "people posing for a photograph.",
        "a man and a woman with the video camera.",
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


def test_wordings_of_the_world_hold_a_phrase_and_are_none() -> None:
    for wording in world_phrases():
        assert not is_artefact(f"people {wording.replace('*', 's')} him."), wording


def test_phrases_are_lower_case_and_stand_once() -> None:
    phrases = artefact_phrases() + world_phrases()
    assert len(set(phrases)) == len(phrases)
    assert all(phrase == phrase.lower().strip() for phrase in phrases)


@pytest.mark.skipif(not CLIPCAP.is_dir(), reason="real captions are not beside the project")
def test_masks_leave_more_artefacts_in_real_captions_than_crops() -> None:
    captions = {
        folder.name: [
            line
            for file in sorted(folder.glob("*.txt"))
            for line in file.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        for folder in CLIPCAP.iterdir()
    }
    shares = {name: sum(map(is_artefact, each)) / len(each) for name, each in captions.items()}
    assert shares["heatmap_mask_no_segmenting"] == pytest.approx(0.595, abs=0.02)
    assert shares["cropped_segments"] == pytest.approx(0.344, abs=0.02)
    assert shares["blurred_background"] == pytest.approx(0.367, abs=0.02)
    # The poster's own figures are of black backgrounds alone, all of which are artefacts.
    black = {
        name: [each for each in lines if "black background" in each]
        for name, lines in captions.items()
    }
    assert all(is_artefact(each) for lines in black.values() for each in lines)
    black_shares = {name: len(black[name]) / len(captions[name]) for name in captions}
    assert black_shares == pytest.approx(
        {
            "heatmap_mask_no_segmenting": 0.37,
            "cropped_segments": 0.083,
            "blurred_background": 0.015,
        },
        abs=0.005,
    )
