"""Files of predictions in the forms that tools write them, matched with photos and classes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from safetensors.numpy import save_file

from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, Prediction
from mapcap.errors import UserError
from mapcap.predictions import digest, read_predictions, scan_photos

PATHS = ["bird/1.jpg", "bird/2.jpg", "cat 10/1.jpg", "cat 9/3.jpg"]
# As torchvision numbers the folders: sorted as text.
NUMBERS = {"bird": 0, "cat 10": 1, "cat 9": 2}
SCORES = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]]

Read = Callable[..., tuple[Dataset, str]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for path in PATHS:
        (tmp_path / "photos" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / path).write_bytes(b"")
    return tmp_path / "photos"


@pytest.fixture
def read(photos: Path) -> Read:
    def run(file: Path, **options: Any) -> tuple[Dataset, str]:
        config = IndexConfig(photos=str(photos), predictions=str(file), **options)
        dataset, lines = read_predictions(config, scan_photos(config)[0])
        return dataset, "\n".join(line for line, _ in lines)

    return run


def write(folder: Path, text: str, name: str = "given.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def table(rows: Sequence[Sequence[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def predicted(dataset: Dataset) -> list[str]:
    return [dataset.classes[said(item).top[0][0]].label for item in dataset.items]


def said(item: Any) -> Prediction:
    assert item.prediction is not None
    return item.prediction


# In the natural order of the photos: cat 9 comes before cat 10.
BEST = ["bird", "cat 10", "cat 9", "cat 10"]


def forms(folder: Path) -> dict[str, Path]:
    """The same four predictions with all scores, in each form that has them all."""
    columns = ["path", *NUMBERS]
    rows = [[path, *row] for path, row in zip(PATHS, SCORES, strict=True)]
    top = [sorted(zip(NUMBERS, row, strict=True), key=lambda p: -p[1]) for row in SCORES]
    flat = [
        [path, *(x for pair in row for x in pair)] for path, row in zip(PATHS, top, strict=True)
    ]
    lines = [
        json.dumps({"path": path, "prediction": [{"label": k, "score": v} for k, v in row]})
        for path, row in zip(PATHS, top, strict=True)
    ]
    timm = {
        path: {"index": [NUMBERS[k] for k, _ in row], "prob": [v for _, v in row]}
        for path, row in zip(PATHS, top, strict=True)
    }
    numpy_cells = [
        [
            path,
            f"[{' '.join(str(NUMBERS[k]) for k, _ in row)}]",
            f"[{' '.join(str(v) for _, v in row)}]",
        ]
        for path, row in zip(PATHS, top, strict=True)
    ]
    named = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    parquet.write_table(arrow.table(named), folder / "columns.parquet")
    np.savez(folder / "held.npz", scores=np.array(SCORES), paths=PATHS, classes=list(NUMBERS))
    header = ["path", *(f"{what}{i}" for i in (1, 2, 3) for what in ("top", "prob"))]
    return {
        "columns": write(folder, table([columns, *rows]), "columns.csv"),
        "tabs": write(folder, table([columns, *rows]).replace(",", "\t"), "columns.tsv"),
        "ranks": write(folder, table([header, *flat]), "ranks.csv"),
        "pipeline": write(folder, "\n".join(lines), "pipeline.jsonl"),
        "timm json": write(folder, json.dumps(timm), "timm.json"),
        "timm csv": write(folder, table([["filename", "index", "prob"], *numpy_cells]), "timm.csv"),
        "parquet": folder / "columns.parquet",
        "npz": folder / "held.npz",
    }


def test_each_form_says_the_same(tmp_path: Path, read: Read) -> None:
    for name, file in forms(tmp_path).items():
        dataset, lines = read(file)
        assert predicted(dataset) == BEST, name
        true = [said(item).true_probability for item in dataset.items]
        assert [item.relative for item in dataset.items] == [*PATHS[:2], PATHS[3], PATHS[2]], name
        assert true == pytest.approx([0.7, 0.1, 0.4, 0.5]), name
        assert [said(item).true_rank for item in dataset.items] == [1, 3, 1, 1], name
        assert said(dataset.items[1]).margin == pytest.approx(np.log(0.1 / 0.6)), name
        assert "4 rows, 4 photos matched" in lines and "accuracy 0.750: 3 of 4" in lines
        assert "probabilities" in lines


def test_logits_are_told_from_probabilities(tmp_path: Path, read: Read) -> None:
    logits = np.log(np.array(SCORES)) + 5
    np.save(tmp_path / "logits.npy", logits)
    paths = write(tmp_path, "\n".join(PATHS), "paths.txt")
    dataset, lines = read(tmp_path / "logits.npy", prediction_paths=str(paths))
    assert "scores are logits" in lines
    assert "class numbers: 0 = bird, 1 = cat 10, 2 = cat 9 (folders sorted as" in lines
    first = said(dataset.items[0])
    assert first.true_probability == pytest.approx(0.7)
    assert first.top[0][2] == pytest.approx(np.log(0.7) + 5)
    save_file({"x": logits}, tmp_path / "l.safetensors", {"classes": json.dumps(list(NUMBERS))})
    other, _ = read(tmp_path / "l.safetensors", prediction_paths=str(paths))
    assert other.items == dataset.items
    np.save(tmp_path / "sigmoid.npy", np.array(SCORES) * 0.5)
    third, lines = read(tmp_path / "sigmoid.npy", prediction_paths=str(paths))
    assert "probabilities are not known" in lines and predicted(third) == predicted(dataset)
    first = said(third.items[0])
    assert first.true_probability is None and first.margin is not None and first.margin > 0


def test_what_the_file_lacks_is_not_invented(tmp_path: Path, read: Read) -> None:
    rows = table([["path", "prediction", "confidence"], [PATHS[0], "bird", 0.9],
                  [PATHS[1], "plate", 0.8], [PATHS[2], "CAT_10", 0.7]])  # fmt: skip
    dataset, lines = read(write(tmp_path, rows))
    assert [found.label for found in dataset.classes] == ["bird", "cat 9", "cat 10", "plate"]
    assert "1 predicted class without photos: plate" in lines
    assert "1 photo without a row left out" in lines
    right, wrong, folded = (said(item) for item in dataset.items)
    assert right == Prediction(((0, 0.9, None),), 0.9, 1, None)
    assert wrong == Prediction(((3, 0.8, None),), None, None, None)
    assert folded.top[0][0] == 2, "case and underscores do not matter"
    bare, lines = read(write(tmp_path, table([["path", "prediction"], [PATHS[0], "bird"]])))
    assert said(bare.items[0]) == Prediction(((0, None, None),), None, 1, None)
    assert "no scores" in lines


def test_paths_match_by_their_whole_or_their_unique_end(
    tmp_path: Path, read: Read, photos: Path
) -> None:
    rows: list[list[object]] = [
            ["path", "prediction"], [f"./{PATHS[0]}", "bird"], [photos / PATHS[2], "bird"],
            ["/gpu/data/bird/2.jpg", "bird"], ["3.jpg", "bird"],
            [PATHS[0], "bird"], ["none.jpg", "bird"]]  # fmt: skip
    dataset, lines = read(write(tmp_path, table(rows)))
    assert len(dataset.items) == 4
    assert "6 rows, 4 photos matched, 1 row without a photo, 1 row doubled" in lines


def test_numbers_in_another_order_are_noticed(tmp_path: Path, read: Read) -> None:
    natural = {"bird": 0, "cat 9": 1, "cat 10": 2}
    right = [[path, natural[path.partition("/")[0]]] for path in PATHS]
    file = write(tmp_path, table([["path", "prediction"], *right]))
    with pytest.raises(UserError, match=r"0\.50 in this order .* 1\.00 with the folders in natu"):
        read(file)
    order = write(tmp_path, "bird\ncat 9\ncat 10\nplate\n", "order.txt")
    dataset, lines = read(file, class_order=str(order))
    assert [found.label for found in dataset.classes] == ["bird", "cat 9", "cat 10"]
    assert "accuracy 1.000" in lines and "2 = cat 10, 3 = plate (--class-order)" in lines
    later = [[path, NUMBERS[path.partition("/")[0]] + 1] for path in PATHS]
    with pytest.raises(UserError, match=r"numbers 4 classes.*With a background class first.*1\.00"):
        read(write(tmp_path, table([["path", "prediction"], *later])))


def test_accuracy_below_chance_is_said(tmp_path: Path, read: Read) -> None:
    rows = [[path, "plate"] for path in PATHS[1:]] + [[PATHS[0], "cat 9"]]
    _, lines = read(write(tmp_path, table([["path", "prediction"], *rows])))
    assert "accuracy 0.000" in lines and "below chance (0.333)" in lines


def test_names_lead_from_labels_to_classes(tmp_path: Path, read: Read) -> None:
    names = "bird\tcrane\ncat 9\ttabby\ncat 10\tlynx\nn01\ttabby\n"
    rows = table([["path", "prediction"], [PATHS[0], "crane"], [PATHS[3], "n01"]])
    dataset, _ = read(write(tmp_path, rows), names=str(write(tmp_path, names, "names.tsv")))
    assert [said(item).top[0][0] for item in dataset.items] == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("name,prediction\nx,bird\n", "no column path; it has name, prediction"),
        ("path\nbird/1.jpg\n", "no column prediction; it has path"),
        ("path,prediction\nbird/1.jpg\n", r"given\.csv, line 2: 1 cells under 2 columns"),
        ("path,prediction\nbird/1.jpg,\n", r"line 2: the prediction must not be empty"),
        ("path,prediction,confidence\nbird/1.jpg,bird,1.2\n", "line 2: confidence is a prob"),
        ("path,bird,cat 9,cat 10\nbird/1.jpg,nan,0,1\n", "line 2, column bird: expected a finite"),
        ("path,prediction,prob\nbird/1.jpg,bird,?\n", "line 2, column prob: expected a finite"),
        ("path,top1,prob1\nbird/1.jpg,bird,?\n", "line 2, column prob1: expected a finite"),
        ("path,prediction\nx/9.jpg,bird\n", "paths such as x/9.jpg, the photos such as bird/1.jpg"),
        ("path,prediction\n1.jpg,bird\n", "1.jpg may be bird/1.jpg or cat 10/1.jpg"),
        ("path,prediction\nbird/1.jpg,bird\nbird/1.jpg,cat 9\n", "line 3: .* in line 2"),
        ("path,prediction\nbird/1.jpg,brid\n", "no class of it .* Did you mean bird"),
        ("path,prediction\nbird/1.jpg,7\n", "numbers 8 classes, and the classes of the photos are"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, read: Read, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(write(tmp_path, text))


def test_matrices_that_cannot_be_used(tmp_path: Path, read: Read) -> None:
    paths = str(write(tmp_path, "\n".join(PATHS), "paths.txt"))
    cases = {
        "a": (np.zeros((3, 3)), "4 paths for the 3 rows"),
        "b": (np.full((4, 3), np.nan), r"row 0 \(from 0\), bird/1.jpg: a score"),
        "c": (np.zeros((4, 3, 2)), "4 x 3 x 2 of float64. Expected scores"),
        "d": (np.array([{}] * 4), "cannot be read as npy"),
        "e": (np.eye(4), "numbers 4 classes"),
    }
    for name, (values, message) in cases.items():
        np.save(tmp_path / f"{name}.npy", values, allow_pickle=True)
        with pytest.raises(UserError, match=message):
            read(tmp_path / f"{name}.npy", prediction_paths=paths)
    with pytest.raises(UserError, match="give --prediction-paths FILE"):
        read(tmp_path / "e.npy")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        read(tmp_path / "broken.safetensors", prediction_paths=paths)
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(UserError, match="ends in none of"):
        read(write(tmp_path, "", "given.pkl"))


def test_hostile_json_is_refused(tmp_path: Path, read: Read) -> None:
    for text, message in (
        ("{", "line 1: not JSON"),
        ("3", "line 1: expected an object"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"path": "bird/1.jpg", "prediction": [{"score": 1}]}', "label and score"),
        ('{"path": "bird/1.jpg", "prediction": "bird"}\n\n{"path": "x"}', "line 3: no prediction"),
    ):
        with pytest.raises(UserError, match=message):
            read(write(tmp_path, text, "given.jsonl"))


def test_other_content_is_another_run(tmp_path: Path) -> None:
    config = IndexConfig(photos="x", predictions=str(write(tmp_path, "a")))
    before = digest(config)
    write(tmp_path, "b")
    assert digest(config) != before and len(before) == 64
    with pytest.raises(UserError, match="--prediction-paths"):
        IndexConfig(photos="x", prediction_paths="y")


def test_a_column_of_labels_takes_the_place_of_class_folders(tmp_path: Path, read: Read) -> None:
    """The photos lie anywhere; the limit is that of the labels."""
    rows = [
        ["bird/1.jpg", "lark", "lark"], ["bird/2.jpg", "owl", "lark"],
        ["cat 10/1.jpg", "lark", "lark"], ["cat 9/3.jpg", "owl", "owl 2"],
    ]  # fmt: skip
    file = write(tmp_path, table([["path", "prediction", "label"], *rows]))
    dataset, told = read(file)
    assert [each.label for each in dataset.classes] == ["lark", "owl 2", "owl"]
    assert [(item.relative, item.class_index) for item in dataset.items] == [
        ("bird/1.jpg", 0), ("bird/2.jpg", 0), ("cat 10/1.jpg", 0), ("cat 9/3.jpg", 1),
    ]  # fmt: skip
    assert predicted(dataset) == ["lark", "owl", "lark", "owl"]
    assert "labels are those of given.csv, column label" in told
    assert "accuracy 0.500: 2 of 4" in told
    few, _ = read(file, limit_per_class=1)
    assert [item.relative for item in few.items] == ["bird/1.jpg", "cat 9/3.jpg"]


def test_labels_beside_the_best_classes_and_beside_scores(tmp_path: Path, read: Read) -> None:
    for header, cells in (
        (["path", "label", "top1", "prob1"], ["lark", 0.9]),
        (["path", "label", "lark", "owl"], [0.9, 0.1]),
    ):
        rows = [[path, "lark" if n else "owl", *cells] for n, path in enumerate(PATHS)]
        dataset, told = read(write(tmp_path, table([header, *rows])))
        assert [each.label for each in dataset.classes] == ["lark", "owl"]
        assert predicted(dataset) == ["lark"] * 4 and "accuracy 0.750" in told


def test_the_label_of_timm_is_its_prediction(tmp_path: Path, read: Read) -> None:
    rows = [[path, "bird", 0.9] for path in PATHS]
    dataset, _ = read(write(tmp_path, table([["filename", "label", "prob"], *rows])))
    assert [each.label for each in dataset.classes] == ["bird", "cat 9", "cat 10"]
    assert predicted(dataset) == ["bird"] * 4


def test_a_photo_without_a_label_is_an_error_of_its_line(tmp_path: Path, read: Read) -> None:
    rows = [["bird/1.jpg", "lark", "lark"], ["bird/2.jpg", "owl", ""]]
    with pytest.raises(UserError, match="line 3: the label must not be empty"):
        read(write(tmp_path, table([["path", "prediction", "label"], *rows])))
