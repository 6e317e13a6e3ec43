"""`mapcap audit`: pages, JSON, mistakes; and two runs compared by hand."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from db import queries
from db.engine import finish, open_read, open_write
from db.records import ErrorWord
from mapcap.audit.kinds import AUDIT_VERSION
from mapcap.commands.audit import audit
from mapcap.errors import UserError
from mapcap.printing.audit import words_table
from tests.audit.conftest import CLASSES, MARKED
from tests.stores import Photo, make_spec, write_run

Printed = pytest.CaptureFixture[str]


def test_a_line_for_every_class_the_worst_first(audited: Path, capsys: Printed) -> None:
    audit(audited)
    lines = capsys.readouterr().out.splitlines()
    engine = open_read(audited)
    worst = queries.classes(engine, queries.latest_run(engine).id, sort="accuracy")
    assert [line.split(":")[0] for line in lines] == [found.name for found in worst]
    audit(audited, json=True)
    listed = json.loads(capsys.readouterr().out)
    assert [entry["audit"]["line"] for entry in listed] == lines


def test_a_class_with_its_findings_words_and_bins(audited: Path, capsys: Printed) -> None:
    audit(audited, MARKED)
    page = capsys.readouterr().out
    assert "watermark" in page and "magenta" in page and f"{MARKED}/" in page
    assert "calibration" in page and "█" in page
    audit(audited, MARKED, json=True)
    found = json.loads(capsys.readouterr().out)
    kinds = [entry["finding"]["kind"] for entry in found["findings"]]
    assert "watermark" in kinds
    assert all(len(entry["images"]) <= 3 for entry in found["findings"])
    assert found["class"]["name"] == MARKED
    counts = []
    for name in CLASSES:
        audit(audited, name, json=True)
        counts.append(len(json.loads(capsys.readouterr().out)["words"]))
    assert any(counts)


@pytest.mark.parametrize("width", [100, 60, 40])
def test_a_narrow_terminal_keeps_the_word_and_its_counts(width: int) -> None:
    word = ErrorWord("brown fur", None, 1.2, 3.1, 0.004, 0.05, 0.01, 0.09, 9, 2, 7)
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(words_table([word]))
    page = capture.get()
    head, line = (each.split() for each in page.splitlines()[:2])
    assert dict(zip(head[-2:], line[-2:], strict=True)) == {"errors": "7", "correct": "2"}
    assert "brown" in page and "fur" in page
    assert ("95" in head) == (width == 100)


def test_a_file_without_an_audit_says_what_to_do(two_runs: Path) -> None:
    for class_name in (None, "tabby"):
        with pytest.raises(UserError, match="run the same `mapcap index` command again"):
            audit(two_runs, class_name)


def without_networks(program: str, db: Path) -> subprocess.CompletedProcess[str]:
    """Run a program on a file where neither torch nor scipy can be imported."""
    head = (
        "import sys; sys.modules['scipy'] = sys.modules['torch'] = None\n"
        "from pathlib import Path; from mapcap.commands.audit import audit\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + program, str(db)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
    )


def test_the_pages_need_neither_torch_nor_scipy(audited: Path) -> None:
    done = without_networks(
        f"audit(Path(sys.argv[1])); audit(Path(sys.argv[1]), {MARKED!r})", audited
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{name}: " in done.stdout for name in CLASSES)


def add_run(engine: Engine, number: int, labels: tuple[str, ...], right: dict[str, str]) -> None:
    """A run whose images are right (1) or wrong (0) as the class's string of digits says."""
    classes = {
        label: [
            Photo(path=f"{label}/{i}.jpg", predicted=(place + (digit == "0")) % len(labels))
            for i, digit in enumerate(right.get(label, ""))
        ]
        for place, label in enumerate(labels)
    }
    write_run(engine, classes, spec=make_spec(f"hash {number}"), labels=labels)


@pytest.fixture
def two_runs(tmp_path: Path) -> Path:
    """Six tabbies gained and none lost; one lynx of four lost; the seventh lynx is new."""
    path = tmp_path / "two.db"
    engine = open_write(path)
    add_run(engine, 1, ("tabby", "lynx"), {"tabby": "00000011", "lynx": "1110"})
    # The classes stand in another order, and so have other numbers.
    add_run(engine, 2, ("lynx", "tabby"), {"tabby": "11111111", "lynx": "1100111"})
    finish(engine)
    return path


def test_only_the_same_images_are_paired(two_runs: Path) -> None:
    engine = open_read(two_runs)
    pairs = queries.paired_predictions(engine, 2, 1)
    names = {found.id: found.name for found in queries.classes(engine, 2)}
    said = [(names[pair.class_id], pair.before, pair.now) for pair in pairs]
    assert said == [
        *(("lynx", before, now) for before, now in [(True, True)] * 2),
        ("lynx", True, False),
        ("lynx", False, False),
        *[("tabby", False, True)] * 6,
        *[("tabby", True, True)] * 2,
    ]


def test_a_replaced_picture_is_not_compared(two_runs: Path) -> None:
    engine = open_write(two_runs)
    replaced = queries.image_by_path(engine, 2, "lynx/0.jpg")
    with engine.begin() as connection:
        query = "UPDATE image SET content_hash = 'new' WHERE id = ?"
        connection.exec_driver_sql(query, (replaced.id,))
    pairs = queries.paired_predictions(engine, 2, 1)
    assert sum(pair.class_id == replaced.class_id for pair in pairs) == 3


def test_two_runs_compared(two_runs: Path, capsys: Printed) -> None:
    audit(two_runs, run=2, against=1, json=True)
    found = json.loads(capsys.readouterr().out)
    by_class = {entry["class"]: entry["change"] for entry in found["classes"]}
    assert by_class["tabby"]["gained"] == 6 and by_class["tabby"]["lost"] == 0
    assert by_class["tabby"]["p"] == pytest.approx(2 / 64)
    assert by_class["tabby"]["q"] == pytest.approx(4 / 64)
    assert by_class["lynx"]["lost"] == 1 and by_class["lynx"]["p"] == 1
    assert found["all"]["images"] == 12
    assert found["all"]["p"] == pytest.approx(2 * (1 + 7) / 2**7)
    audit(two_runs, run=2, against=1)
    page = capsys.readouterr().out
    assert page.index("tabby") < page.index("lynx") and "6 gained, 1 lost" in page
    audit(two_runs, "lynx", run=2, against=1)
    page = capsys.readouterr().out
    assert "0 gained, 1 lost" in page and "6 gained" not in page


def test_runs_that_cannot_be_compared(two_runs: Path) -> None:
    with pytest.raises(UserError, match="the run itself"):
        audit(two_runs, run=2, against=2)
    engine = open_write(two_runs)
    add_run(engine, 3, ("crane", "goose"), {"crane": "111"})
    finish(engine)
    with pytest.raises(UserError, match="share no predicted image"):
        audit(two_runs, run=3, against=1)


@pytest.fixture
def older(audited: Path, tmp_path: Path) -> Path:
    """The file as `mapcap upgrade` leaves one of format 2: no audit has a version or details."""
    path = tmp_path / "older.db"
    shutil.copy(audited, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE class_audit SET audit_version = 0")
        connection.execute("UPDATE finding SET plain = '', colour = '', details = '[]'")
        connection.execute("UPDATE finding SET kind = 'mark' WHERE kind = 'watermark'")
    return path


def test_an_older_audit_is_made_again_before_it_is_printed(
    audited: Path, older: Path, capsys: Printed
) -> None:
    audit(audited, MARKED)
    expected = capsys.readouterr().out
    audit(older, MARKED)
    assert capsys.readouterr().out == expected
    engine = open_read(older)
    run_id = queries.latest_run(engine).id
    assert queries.outdated_audits(engine, run_id, AUDIT_VERSION) == []


def test_an_older_audit_is_shown_where_the_networks_are_missing(older: Path) -> None:
    before = older.read_bytes()
    done = without_networks(f"audit(Path(sys.argv[1]), {MARKED!r})", older)
    assert done.returncode == 0, done.stderr
    assert "was audited by an older MapCap, and that audit is shown" in done.stderr
    assert "mapcap[index] is not installed here" in done.stderr
    assert "watermark" in done.stdout and "magenta" in done.stdout
    assert older.read_bytes() == before


def test_an_older_audit_of_a_damaged_run_is_shown(older: Path, capsys: Printed) -> None:
    with sqlite3.connect(older) as connection:
        connection.execute("UPDATE run SET config = '{}'")
    audit(older, MARKED)
    said = capsys.readouterr()
    assert "the run's stored configuration is damaged: photos" in " ".join(said.err.split())
    assert "magenta" in said.out


def test_the_errors_that_one_run_alone_makes_stand_side_by_side(
    two_runs: Path, capsys: Printed
) -> None:
    audit(two_runs, "lynx", run=2, against=1, json=True)
    apart = json.loads(capsys.readouterr().out)["apart"]
    assert apart["before"]["errors"] == []
    (error,) = apart["now"]["errors"]
    assert error == {
        "path": "lynx/2.jpg", "before_name": "lynx", "now_name": "tabby", "now": False
    }  # fmt: skip
    audit(two_runs, "tabby", run=2, against=1)
    page = capsys.readouterr().out
    assert "run 1 alone: 6 errors" in page and "run 2 alone: 0 errors" in page
    assert "tabby/0.jpg → lynx" in page and "no finding" in page
