"""What is given for a path and is none: refused with the option, before anything is written."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from db.engine import finish, open_write
from mapcap.commands.naming import brief, named, option_of
from mapcap.errors import UserError
from mapcap.export.outfile import whole_file
from tests.calling import Result
from tests.stores import Photo, StoredRun, write_run

Call = Callable[..., Result]
TOO_LONG = "x" * 5000


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    stored = write_run(
        open_write(tmp_path / "run.db"),
        {"tabby": [Photo(path="tabby/1.jpg", captions={"true": ["a red hat."]})]},
    )
    finish(stored.engine)
    return stored


@pytest.mark.parametrize(
    ("path", "arguments", "option"),
    [
        ("a/b", ["index", "--weights", "a/b"], "--weights"),
        ("a/b", ["index", "--weights=a/b"], "--weights"),
        ("a/b", ["index", "--weights=./a/b"], "--weights"),
        ("f.pt", ["index", "--captioner", "clipcap:f.pt"], "--captioner"),
        ("f.pt", ["index", "--classifier", "timm:resnet50|f.pt"], "--classifier"),
        (str(Path("a/b").absolute()), ["index", "--names=a/b"], "--names"),
        ("a/b", ["status", "a/b"], None),
        ("a/b", ["index", "--names"], None),
    ],
)
def test_a_path_is_known_by_its_option(
    path: str, arguments: Sequence[str], option: str | None
) -> None:
    assert option_of(path, arguments) == option


def test_what_is_said_of_a_file_names_its_option() -> None:
    said = "a.db is a folder: give the name of a file in it"
    assert named(said, ["index", "p", "--db", "./a.db"]) == f"--db {said}"
    assert named(said, ["status", "a.db"]) == said
    assert named("run 3 is not there", ["classes", "a.db", "--run", "3"]) == "run 3 is not there"
    assert len(brief(TOO_LONG)) < 300 and brief("a/b") == "a/b"


@pytest.mark.parametrize(
    "option", ["--names", "--boxes", "--predictions", "--class-weights", "--concepts", "--db"]
)
def test_a_path_that_is_too_long_is_refused_with_its_option(
    call: Call, photos: Path, tmp_path: Path, option: str
) -> None:
    db = [] if option == "--db" else ["--db", tmp_path / "run.db"]
    result = call("index", photos, *db, f"{option}={tmp_path / TOO_LONG}")
    assert result.code == 2
    assert f"mapcap: {option}" in result.err and "too long" in result.err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such pipes here")
@pytest.mark.parametrize("kind", ["concepts", "phrases"])
def test_lists_of_texts_wait_for_no_pipe(tmp_path: Path, kind: str) -> None:
    from mapcap.audit.concepts import field_lines

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if kind == "concepts":
        with pytest.raises(UserError, match=r"--concepts: .*pipe cannot be read: it is no regular"):
            field_lines(pipe)
        return
    from mapcap.config import IndexConfig
    from mapcap.networks.captioners.phrases import read_phrases

    with pytest.raises(UserError, match=r"--captioner .*pipe cannot be read: it is no regular"):
        read_phrases(IndexConfig(photos="/p", captioner=f"phrases:{pipe}"))


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("search", "a", "--class", "nonsense"), "--class"),
        (("evaluate", "--boxes", "nowhere.csv"), "--boxes"),
        (("evaluate", "--sample", "0"), "--sample"),
        (("evaluate", "--batch-size", "0"), "--batch-size"),
        (("evaluate", "--device", "nonsense"), "--device"),
        (("evaluate", "--sample", "1", "--device", "nonsense"), "--device"),
        (("verdicts", "--verdicts", TOO_LONG), "--verdicts"),
    ],
)
def test_a_finished_file_is_left_alone(
    call: Call, run: StoredRun, arguments: tuple[str, ...], option: str
) -> None:
    before = run.path.read_bytes()
    result = call(arguments[0], run.path, *arguments[1:])
    assert result.code == 2
    assert option in result.err
    assert run.path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such pipes here")
def test_a_place_that_takes_no_file_is_told_before_networks_are_loaded(
    call: Call, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mapcap.indexing.start as start

    monkeypatch.setattr(start, "look", lambda *_: pytest.fail("the photos were looked for"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = {
        pipe: "no regular file",
        tmp_path: "is a folder",
        tmp_path / "no" / "run.db": "create it first",
        photos / "bird" / "broken.webp": "is not a MapCap file",
    }
    for db, words in said.items():
        result = call("index", photos, "--db", db)
        assert (result.code, f"--db {db}" in result.err, words in result.err) == (2, True, True)


def test_names_that_fill_the_limit(call: Call, run: StoredRun, photos: Path) -> None:
    folder, longest = run.path.parent, os.pathconf(run.path.parent, "PC_NAME_MAX")
    # Verdicts would have a longer name, and there are none.
    near = run.path.rename(folder / ("x" * (longest - 11) + ".db"))
    assert call("verdicts", near).code == call("classes", near).code == 0
    full = folder / ("x" * (longest - 4) + ".db")
    result = call("index", photos, "--db", full)
    assert result.code == 2 and "give it a shorter name" in result.err
    assert not full.exists()


def test_a_file_that_cannot_be_written_is_told_by_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with (
        pytest.raises(UserError, match=r"--out .*images.csv cannot be written \(Read-only"),
        whole_file(tmp_path / "images.csv"),
    ):
        pass
