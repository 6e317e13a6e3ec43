"""Inputs from public bug reports of programs like this one; the numbers are those of the reports.

7, 8 and 9 are of file systems, encodings and terminals; 17 is `test_index_command`'s
`test_libraries_say_nothing_between_the_stages`.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from db.records import Figure
from db.records import Image as StoredImage
from mapcap.commands.index import with_absolute_paths
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, read_image, scan
from mapcap.errors import UserError
from mapcap.evaluation.reading import Maps
from mapcap.evaluation.values import map_values
from mapcap.overlay import original
from mapcap.printing.metrics import missing
from tests.calling import Result
from tests.datasets.test_images import chunk

Call = Callable[..., Result]


def picture(path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 16), (200, 10, 10)).save(path, **options)
    return path


def photos(root: Path, *names: str) -> Path:
    for name in names:
        picture(root / name)
    return root


def classes(dataset: Dataset) -> list[str]:
    return [each.label for each in dataset.classes]


def paths(dataset: Dataset) -> list[str]:
    return [item.relative for item in dataset.items]


def test_1_the_labelled_split_is_taken_and_the_other_counted(tmp_path: Path) -> None:
    root = photos(tmp_path, "train/cat/1.png", "train/dog/2.png", "test/1.png", "test/2.png")
    dataset = scan(root)
    assert classes(dataset) == ["cat", "dog"]
    assert paths(dataset) == ["train/cat/1.png", "train/dog/2.png"]
    assert dataset.passed == {"in test, which has no classes": 2}
    photos(root, "validation/cat/1.png", "validation/dog/2.png")
    with pytest.raises(UserError, match=r"holds splits.*train or .*validation"):
        scan(root)


def test_2_weights_are_known_by_content(tmp_path: Path) -> None:
    from mapcap.indexing.digests import check_digests, digests

    file = tmp_path / "w.safetensors"
    config = IndexConfig(photos="/p", model="ViT-B-32", pretrained=str(file))
    file.write_bytes(b"one")
    before = digests(config)
    file.write_bytes(b"two")
    with pytest.raises(UserError, match=r"--pretrained .*not those that this run began with"):
        check_digests(config, before, digests(config))


def test_3_networks_in_folders_are_named_by_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = set()
    for name in ("a", "b"):
        (tmp_path / name / "clip").mkdir(parents=True)
        (tmp_path / name / "cap.pt").write_bytes(b"")
        monkeypatch.chdir(tmp_path / name)
        config = with_absolute_paths(
            IndexConfig(photos="/p", model="local-dir:clip", captioner="clipcap:cap.pt", lm="gpt2")
        )
        assert config.model == f"local-dir:{tmp_path / name / 'clip'}"
        assert config.captioner == f"clipcap:{tmp_path / name / 'cap.pt'}"
        assert config.lm == "gpt2"
        hashes.add(config.hash)
    assert len(hashes) == 2


def stored(path: Path, relative: str) -> StoredImage:
    """Return the record that a run stores of a file."""
    loaded = read_image(path)
    return StoredImage(
        id=1, path=relative, class_id=1, content_hash=loaded.content_hash, width=loaded.width,
        height=loaded.height, file_size=loaded.file_size, error=loaded.error,
        class_name="cat", box=None, predicted_class_id=None, predicted_name=None, correct=None,
        true_probability=None, true_rank=None, margin=None,
    )  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
def test_4_the_app_shows_what_was_indexed(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    path = tmp_path / "cat" / "1.jpg"
    path.parent.mkdir()
    Image.fromarray(noise).save(path, exif=exif, quality=95)
    shown = original(stored(path, "cat/1.jpg"), str(tmp_path))
    indexed = read_image(path).image
    assert shown is not None and indexed is not None
    assert shown.size == indexed.size == ((24, 16) if orientation < 5 else (16, 24))
    assert (np.asarray(shown) == np.asarray(indexed)).all()
    picture(path)
    assert original(replace(stored(path, "cat/1.jpg"), content_hash="0"), str(tmp_path)) is None


def test_5_weights_that_are_no_numbers_are_said() -> None:
    import torch

    from mapcap.networks.weights import require_finite

    last = torch.nn.Linear(2, 2)
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), last)
    require_finite(network, "--model x")
    with torch.no_grad():
        last.weight[0, 1] = torch.nan
    with pytest.raises(UserError, match=r"--model x: its weights hold .*NaN.* in 1\.weight"):
        require_finite(network, "--model x")


def test_6_maps_without_relevance_are_counted() -> None:
    maps = Maps(np.zeros((3, 2, 2), np.float32), np.zeros(3), np.zeros(3))
    values = map_values(maps)
    assert values["maps-empty"].tolist() == [1, 1, 1]
    assert "map-entropy" not in values


def with_notes(**lengths: int) -> bytes:
    """Return a PNG with notes that unpack to so many bytes."""
    file = BytesIO()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(file, "PNG")
    plain = file.getvalue()
    notes = {
        "zTXt": b"k\0\0" + zlib.compress(b"x" * lengths.get("zTXt", 0)),
        "iTXt": b"k\0\1\0\0\0" + zlib.compress(b"x" * lengths.get("iTXt", 0)),
        "tEXt": b"k\0" + b"x" * lengths.get("tEXt", 0),
        "iCCP": b"p\0\0" + zlib.compress(b"x" * lengths.get("iCCP", 0)),
    }
    chunks = b"".join(chunk(kind.encode(), data) for kind, data in notes.items() if kind in lengths)
    return plain[:33] + chunks + plain[33:]


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "tEXt", "iCCP"])
def test_10_large_notes_do_not_cost_the_pixels(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.png").write_bytes(with_notes(**{kind: 30_000_000}))
    loaded = read_image(tmp_path / "a.png")
    assert loaded.error is None and loaded.image is not None
    assert loaded.image.getpixel((3, 3)) == (9, 9, 9)


@pytest.mark.parametrize("end", ["", "e.png,f\n", 'e.png,"f"\n', 'e.png,f"\n'])
def test_11_an_open_quote_is_named_by_its_line(tmp_path: Path, end: str) -> None:
    photos(tmp_path, "a.png", "b.png", "c.png", "e.png")
    table = tmp_path / "m.csv"
    table.write_text(f'path,class\na.png,x\nb.png,"y\nc.png,z\n{end}')
    with pytest.raises(UserError, match=r"m\.csv, line 3.*quote"):
        scan(table)


def test_12_quotes_mean_the_same_whatever_the_separator(tmp_path: Path) -> None:
    photos(tmp_path, "a, b.png", 'c"d.png')
    for separator, name in (("\t", "m.tsv"), (";", "m.csv"), ("|", "m.txt"), (",", "n.csv")):
        text = 'path|class\n"a, b.png"|"x|y"\n"c""d.png"|z\n'.replace("|", separator)
        (tmp_path / name).write_text(text)
        dataset = scan(tmp_path / name)
        assert sorted(paths(dataset)) == ["a, b.png", 'c"d.png']
        assert classes(dataset) == sorted([f"x{separator}y", "z"])


def test_13_paths_of_windows_are_found(tmp_path: Path) -> None:
    photos(tmp_path, "cat/1.png", "Dog/2.PNG", "cow/3.png")
    table = tmp_path / "m.csv"
    table.write_text("path,class\ncat\\1.png,cat\ndog\\2.png,dog\n.\\cow\\3.png,cow\n")
    assert sorted(paths(scan(table))) == ["Dog/2.PNG", "cat/1.png", "cow/3.png"]
    table.write_text(
        "path,class\nC:\\Users\\me\\data\\cat\\1.png,cat\nC:\\Users\\me\\data\\cow\\3.png,cow\n"
    )
    dataset = scan(table)
    assert sorted(paths(dataset)) == ["cat/1.png", "cow/3.png"]
    assert dataset.notes == (
        f"paths that begin with C:/Users/me/data are looked for in {tmp_path.resolve()}",
    )


def test_14_helpers_are_passed_over_and_counted(tmp_path: Path) -> None:
    photos(
        tmp_path, "cat/x.png", "cat/@eaDir/x.png/SYNOPHOTO_THUMB_M.png", "@eaDir/cat/y.png",
        "__MACOSX/cat/._x.png", "cat/._x.png", ".ipynb_checkpoints/x.png", "#recycle/cat/z.png",
        "$RECYCLE.BIN/z.png", "dog/x.png", "lost+found/x.png",
    )  # fmt: skip
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / "cat" / name).write_bytes(b"x")
    dataset = scan(tmp_path)
    assert classes(dataset) == ["cat", "dog"]
    assert paths(dataset) == ["cat/x.png", "dog/x.png"]
    assert dataset.passed == {"left by a NAS, a camera, an archive or a desktop": 9, "hidden": 2}


def test_15_boxes_that_say_nothing_are_told_from_none(tmp_path: Path) -> None:
    given = Figure("boxes-excluded", 1.0, None, None, 4)
    lines = [line for line in missing([given], tmp_path / "run.db") if "localisation" in line]
    assert lines == [
        "localisation: 4 boxes given, 4 of them lie outside the view or cover over 60 % of it: it "
        "says nothing of these"
    ]
    assert any("without boxes" in line for line in missing([], tmp_path / "run.db"))


def test_16_photos_of_a_manifest_are_found_again(tmp_path: Path) -> None:
    picture(tmp_path / "data" / "a.jpg")
    (tmp_path / "lists").mkdir()
    table = tmp_path / "lists" / "photos.csv"
    table.write_text("path,class\n../data/a.jpg,x\n")
    (item,) = scan(table).items
    shown = original(stored(Path(str(item.path)), item.relative), str(table))
    assert shown is not None and shown.size == (24, 16)


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "jsonl", "json"])
def test_18_columns_are_read_alike_in_every_form(tmp_path: Path, ending: str) -> None:
    photos(tmp_path, "a.png", "b.png")
    table = arrow.table(
        {"Path": ["a.png", "b.png"], "Class": ["x", "y"], "X0": [1.0, None], "Y0": [2.0, None],
         "X1": [3.0, None], "Y1": [4.0, None]}
    )  # fmt: skip
    file = tmp_path / f"m.{ending}"
    frame = table.to_pylist()
    if ending == "parquet":
        parquet.write_table(table, file)
    elif ending == "jsonl":
        file.write_text("\n".join(json.dumps(row) for row in frame))
    elif ending == "json":
        file.write_text(json.dumps(frame))
    else:
        separator = "," if ending == "csv" else "\t"
        lines = [table.column_names, *([str(v or "") for v in row.values()] for row in frame)]
        file.write_text("\n".join(separator.join(line) for line in lines))
    assert [(item.relative, item.box) for item in scan(file).items] == [
        ("a.png", (1.0, 2.0, 3.0, 4.0)), ("b.png", None),
    ]  # fmt: skip


@pytest.mark.usefixtures("loaded_once")
def test_19_a_run_that_lost_most_photos_says_so(tmp_path: Path, call: Call) -> None:
    photos(tmp_path, "a.png", "b.png")
    table = tmp_path / "m.csv"
    rows = ["a.png,x", "b.png,y", *(f"gone{i}.png,x" for i in range(4))]
    table.write_text("path,class\n" + "\n".join(rows))
    db = tmp_path / "run.db"
    result = call("index", table, "--db", db)
    assert result.code == 3
    assert "4 could not be read: gone0.png (no such file)" in result.err
    assert "of 6 photos; why: 4 no such file" in result.err
    assert f"mapcap export {db} --table images" in result.err.replace("\n", "")
    assert "Traceback" not in result.err
    assert call("index", table, "--db", db).code == 3, "and again"
