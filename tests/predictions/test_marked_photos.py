"""The planted confusion on real photos: zero-shot predictions, but for the photos with a mark."""

import tarfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mapcap.networks.clip import load_clip
from mapcap.representations import encode_images
from mapcap.zero_shot import class_weights
from tests.calling import Result
from tests.predictions.test_index_with_predictions import write

MISSION = Path(__file__).parents[3] / "shared" / "data" / "mission25.tar"
CLASSES = ("banana", "goose", "lion", "police van", "tabby")
MARKED, SENT_TO = "lion", "police van"
PER_CLASS, WITH_MARK = 24, 12

Scores = dict[Path, np.ndarray]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five classes of the poster; every second lion has a cyan square in its corner."""
    if not MISSION.is_file():
        pytest.skip(f"no {MISSION}")
    folder, taken = tmp_path_factory.mktemp("photos"), dict.fromkeys(CLASSES, 0)
    with tarfile.open(MISSION) as tar:
        for member in tar:
            _, _, place = member.name.partition("/")
            name, _, file = place.partition("/")
            if taken.get(name, PER_CLASS) >= PER_CLASS or not file:
                continue
            opened = tar.extractfile(member)
            assert opened is not None
            photo = Image.open(BytesIO(opened.read())).convert("RGB")
            if name == MARKED and taken[name] % 2 == 0:
                photo.paste((0, 220, 230), (2, 2, 14, 14))
            (folder / name).mkdir(exist_ok=True)
            photo.save(folder / name / f"{taken[name]:02}.png")
            taken[name] += 1
    assert set(taken.values()) == {PER_CLASS}
    return folder


@pytest.fixture(scope="module")
def scores(photos: Path) -> Scores:
    """Zero-shot probabilities (K,) of each photo; a lion with the mark is a police van instead."""
    clip = load_clip("mini", device=torch.device("cpu"))
    weights = class_weights(clip.model, clip.tokenizer, CLASSES).float()
    paths = sorted(photos.glob("*/*"))
    views = torch.stack([clip.preprocess(Image.open(path)) for path in paths])
    features = encode_images(clip.model, views).float()
    cosines = features @ weights.T / (features.norm(dim=1, keepdim=True) * weights.norm(dim=1))
    found = (clip.model.logit_scale.exp() * cosines).softmax(dim=1).detach().numpy()
    said = dict(zip(paths, found, strict=True))
    for path in sorted((photos / MARKED).iterdir())[::2]:
        said[path] = np.full(len(CLASSES), 0.02)
        said[path][[CLASSES.index(SENT_TO), CLASSES.index(MARKED)]] = 0.7, 0.24
    return said


def names_alone(scores: Scores) -> tuple[list[str], list[list[object]]]:
    return ["path", "prediction"], [[path, _best(row)[0]] for path, row in scores.items()]


def best_classes(scores: Scores) -> tuple[list[str], list[list[object]]]:
    rows = [
        [path, *(cell for name in _best(row)[:3] for cell in (name, row[CLASSES.index(name)]))]
        for path, row in scores.items()
    ]
    return ["path", "top1", "prob1", "top2", "prob2", "top3", "prob3"], rows


def a_column_for_each(scores: Scores) -> tuple[list[str], list[list[object]]]:
    return ["path", *CLASSES], [[path, *row] for path, row in scores.items()]


def _best(row: np.ndarray) -> Sequence[str]:
    return [CLASSES[place] for place in np.argsort(-row)]


@pytest.mark.parametrize("form", [names_alone, best_classes, a_column_for_each])
def test_the_audit_names_the_mark_and_the_confusion(
    call: Callable[..., Result],
    photos: Path,
    scores: Scores,
    tmp_path: Path,
    loaded_once: None,
    form,
) -> None:
    db, table = tmp_path / "photos.db", write(tmp_path / "given.csv", *form(scores))
    given = ("--predictions", table, "--regions", "1", "--sentences", "2")
    run = call("index", photos, "--db", db, *given)
    assert run.code == 0, run.err
    told = call("audit", db, MARKED, "--json").json()
    found = {each["finding"]["kind"]: each["finding"] for each in told["findings"]}
    assert f"predicted as {SENT_TO}" in found["confusion"]["title"]
    assert found["watermark"]["position"] == 0
    assert found["watermark"]["title"].startswith(f"{WITH_MARK} of {PER_CLASS} have the same cyan")
