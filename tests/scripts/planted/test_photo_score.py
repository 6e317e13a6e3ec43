"""The score of a bed of photos: its rules on findings made by hand, and the command on files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import create_engine

from db import writes
from db.engine import finish, open_write
from db.rows import NewAudit, NewFinding
from mapcap.errors import UserError
from scripts import plant_faults, score_planted
from scripts.plant_faults import Planted
from scripts.planted.photo_scoring import PhotoFault, PhotoScore, score_photos
from scripts.planted.photo_truth import PhotoTruth, read_photo_truth
from scripts.planted.reading import Audited
from scripts.planted.reported import Reported
from tests.stores import Photo, write_run

FAULTS = {
    "lion": ("blurred", None),
    "hut": ("zoomed out", None),
    "web": ("logo", None),
    "goose": ("swapped labels", "duck"),
    "duck": ("swapped labels", "goose"),
    "cat": ("exchanged names", "pear"),
    "pear": ("exchanged names", "cat"),
    "van": (None, None),
}
PARTNERS = {name: partner for name, (_, partner) in FAULTS.items()}


def _photos() -> dict[str, Planted]:
    """Four photos a class, of which a fault has two, or all where names are exchanged."""
    photos = {}
    for name, (fault, partner) in FAULTS.items():
        for number in range(4):
            hit = fault is not None and (number < 2 or fault == "exchanged names")
            true = partner if hit and partner else name
            path = f"{name}/{number}.jpg"
            photos[path] = Planted(path, f"{true}/{number}.png", true, fault if hit else None)
    return photos


TRUTH = PhotoTruth(0, dict(FAULTS), _photos())
BLURRED = ["lion/0.jpg", "lion/1.jpg"]


def reported(kind: str, images: Sequence[str] = (), **figures: Any) -> Reported:
    return Reported(kind, figures.pop("title", f"a {kind}"), figures, images)


def scored(
    findings: Mapping[str, Sequence[Reported]],
    *,
    wrong: Sequence[str] = (),
    clean: Mapping[str, Sequence[Reported]] | None = None,
) -> PhotoScore:
    engine = create_engine("sqlite://")
    ids = {path: place for place, path in enumerate(TRUTH.photos)}
    sources = {photo.source: True for photo in TRUTH.photos.values()}
    given = {name: list(each) for name, each in findings.items()}
    without = {name: list(each) for name, each in (clean or {}).items()}
    return score_photos(
        TRUTH,
        Audited(engine, given, ids, {path: path not in wrong for path in ids}),
        Audited(engine, without, {}, sources),
    )


def fault_of(score: PhotoScore, name: str) -> PhotoFault:
    (found,) = [fault for fault in score.faults if fault.class_name == name]
    return found


@pytest.mark.parametrize(
    ("name", "finding", "named"),
    [
        ("lion", reported("attribute", BLURRED, attribute="sharpness", above=False), True),
        ("lion", reported("attribute", BLURRED, attribute="sharpness", above=True), False),
        ("lion", reported("attribute", BLURRED, attribute="noise", above=False), False),
        ("lion", reported("attribute", ["lion/2.jpg"], attribute="sharpness", above=False), False),
        ("lion", reported("concept", BLURRED, title="2 are out of focus"), True),
        ("lion", reported("concept", BLURRED, title="2 show a crowd"), False),
        ("lion", reported("confusion", BLURRED, title="2 are predicted as blurred"), False),
        ("hut", reported("attribute", ["hut/0.jpg"], attribute="detail", above=False), True),
        ("web", reported("watermark", ["web/0.jpg"], box=[0.02, 0.02, 0.2, 0.2]), True),
        ("web", reported("watermark", ["web/0.jpg"], box=[0.8, 0.8, 0.9, 0.9]), False),
        ("goose", reported("label", ["goose/0.jpg", "goose/1.jpg", "goose/2.jpg"]), True),
        ("goose", reported("label", ["goose/0.jpg", "goose/2.jpg"]), False),
        ("cat", reported("name", rival="pear", exchanged=True), True),
        ("cat", reported("name", rival="pear", exchanged=False), False),
        ("cat", reported("name", rival="duck", exchanged=True), False),
        ("cat", reported("name", word="kitten"), False),
    ],
)
def test_what_counts_as_naming_it(name: str, finding: Reported, named: bool) -> None:
    fault = fault_of(scored({name: [finding]}), name)
    assert fault.found == named
    assert fault.title == (finding.title if named else None)


def test_a_fault_hurts_where_the_same_photos_were_right_without_it() -> None:
    """A photo of the goose folder is right without faults as what it is: a duck."""
    score = scored({}, wrong=["lion/0.jpg"])
    assert (fault_of(score, "lion").clean, fault_of(score, "lion").planted) == (1, 0.75)
    assert [fault.class_name for fault in score.harmful] == ["lion"]
    assert not fault_of(score, "goose").hurts


def test_labels_are_judged_where_names_are_not_exchanged_and_notes_apart() -> None:
    findings = {
        "goose": [reported("label", ["goose/0.jpg", "goose/3.jpg"])],
        "cat": [reported("label", ["cat/0.jpg"])],
        "van": [Reported("label", "one", {}, ["van/0.jpg"], is_note=True)],
    }
    labels = scored(findings).suspicion
    assert (labels.named, labels.right, labels.wrong_labels) == (2, 1, 4)
    assert (labels.noted, labels.noted_right) == (1, 0)


def test_what_the_photos_have_without_faults_is_no_false_finding() -> None:
    """A claim about labels is false whether or not the clean index makes it as well."""
    same, apart = ["van/0.jpg", "van/1.jpg"], ["van/3.jpg"]
    word = Reported("word", "a word", {}, same, subject="roof")
    new = Reported("word", "another", {}, apart, subject="door")
    group = Reported("slice", "a group", {}, same, subject="photos")
    label = reported("label", ["van/0.jpg", "van/1.jpg"])
    note = Reported("word", "a note", {}, is_note=True)
    sources = ["van/0.png", "van/1.png", "van/2.png"]
    without = Reported("slice", "a group", {}, sources, subject="other photos")
    findings = [word, new, group, label, note, reported("confusion")]
    score = scored({"van": findings}, clean={"van": [word, without, label]})
    assert [alarm.title for alarm in score.false_alarms] == ["another", "a label"]
    assert [alarm.title for alarm in score.alarms] == ["a word", "another", "a group", "a label"]


def test_audits_of_other_photos_are_an_error() -> None:
    empty = Audited(create_engine("sqlite://"), {}, {}, {})
    with pytest.raises(UserError, match=r"truth\.json"):
        score_photos(TRUTH, empty, empty)
    planted = Audited(empty.engine, {}, dict.fromkeys(TRUTH.photos, 0), {})
    with pytest.raises(UserError, match="--clean"):
        score_photos(TRUTH, planted, empty)


def _file(path: Path, photos: Mapping[str, Sequence[str]], named: str | None) -> None:
    """Write a run whose photos are all right, but for those of `named`, which has a finding."""
    engine = open_write(path)
    run = write_run(
        engine,
        {
            name: [Photo(path=each, predicted=0 if name == named else None) for each in paths]
            for name, paths in photos.items()
        },
        width=len(photos),
    )
    for place, name in enumerate(photos):
        images = [run.images[each] for each in photos[name]]
        figures = {"attribute": "brightness", "above": False}
        finding = NewFinding("attribute", "dark ones", 3.0, figures, images)
        found = [finding] if name == named else []
        writes.add_audit(engine, NewAudit(run.ids[place], name, [], {}, (), found))
    finish(engine)


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted bed of two photos a class and its two files; the dark class is named and wrong."""
    root, rng = tmp_path_factory.mktemp("bed"), np.random.default_rng(0)
    for label in range(plant_faults.CLASSES + 1):
        folder = root / "photos" / f"thing {label:02}"
        folder.mkdir(parents=True)
        for number in range(2):
            levels = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
            Image.fromarray(levels).save(folder / f"{number}.png")
    plant_faults.main([str(root / "photos"), "--out", str(root / "planted")])
    truth = read_photo_truth(root / "planted" / "truth.json")
    (dark,) = [name for name, (fault, _) in truth.classes.items() if fault == "dark"]
    planted = {name: [one.path for one in truth.of_class(name)] for name in sorted(truth.classes)}
    first = next(name for name in planted if name != dark)
    order = {first: planted.pop(first), **planted}
    _file(root / "planted.db", order, dark)
    photos = {
        folder.name: [f"{folder.name}/{path.name}" for path in sorted(folder.iterdir())]
        for folder in sorted((root / "photos").iterdir())
    }
    _file(root / "clean.db", photos, None)
    return root


def test_the_command_scores_a_bed_of_photos(bed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(bed / "planted.db"), str(bed / "planted" / "truth.json")]
    options = ["--clean", str(bed / "clean.db")]
    assert score_planted.main([*files, *options, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["harmful"], result["clean_accuracy"]) == (1, 1)
    (dark,) = [fault for fault in result["faults"] if fault["hurts"]]
    assert (dark["fault"], dark["position"], dark["at_random"]) == ("dark", None, None), (
        "of its two photos one is dark: not most"
    )
    assert result["controls"] == 1 and result["false_in_controls"] == 0
    assert score_planted.main([*files, *options]) == 0
    assert "0 of 1 faults that hurt are named" in capsys.readouterr().out


def test_without_the_clean_index_it_says_what_to_name(
    bed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(bed / "planted.db"), str(bed / "planted" / "truth.json")]
    assert score_planted.main(files) == 2
    assert "--clean" in capsys.readouterr().err
    assert score_planted.main([*files, "--clean", str(bed / "planted.db")]) == 2
    assert "--clean" in capsys.readouterr().err


def test_a_truth_of_another_form_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text('{"seed": 1, "classes": {}, "images": {"a": {}}}', encoding="utf-8")
    with pytest.raises(UserError, match="plant it again"):
        read_photo_truth(path)
