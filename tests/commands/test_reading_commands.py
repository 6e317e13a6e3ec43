"""The commands that read a store: what they print, what they say of mistakes."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mapcap import cli
from mapcap.datasets.sample import sample_path
from tests.calling import CLASSES, Result

Call = Callable[..., Result]
README = Path(__file__).parents[2] / "README.md"


def test_classes_lists_the_worst_first(call: Call, db: Path) -> None:
    listed = call("classes", db, "--json").json()
    assert {entry["name"] for entry in listed} == set(CLASSES)
    accuracies = [entry["accuracy"] for entry in listed]
    assert accuracies == sorted(accuracies)
    table = call("classes", db).out
    assert all(name in table for name in CLASSES)
    highest = call("classes", db, "--sort", "accuracy", "--descending", "--json").json()
    assert [entry["accuracy"] for entry in highest] == sorted(accuracies, reverse=True)


def test_below_is_in_per_cent(call: Call, db: Path) -> None:
    listed = call("classes", db, "--json").json()
    for bound in ("0", "50", "70%", "100"):
        share = float(bound.rstrip("%")) / 100
        below = call("classes", db, "--below", bound, "--json").json()
        wanted = [entry["name"] for entry in listed if entry["accuracy"] < share]
        assert [entry["name"] for entry in below] == wanted
    assert "%" in call("classes", db).out


def test_the_version_is_said_and_completion_knows_the_commands(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = call("--version")
    assert (version.code, version.out.split()[0]) == (0, "mapcap")
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    script = call("--show-completion")
    assert "_MAPCAP_COMPLETE=complete_bash" in script.out
    monkeypatch.setenv("_MAPCAP_COMPLETE", "complete_bash")
    for words, found in (("mapcap st", "status"), ("mapcap classes --bel", "--below")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert found in call().out.split()


def test_show_a_class(call: Call, db: Path) -> None:
    page = call("show", db, "fruit", "--json").json()
    assert page["class"]["name"] == "fruit"
    sentences = page["summary"]["sentences"]
    assert 1 <= len(sentences) <= 5
    printed = call("show", db, "fruit")
    assert re.search(r"accuracy \d+ % \(95 % interval \d+-\d+ %\)", printed.out)
    assert printed.code == 0
    assert sentences[0]["text"].split()[0] in printed.out


def test_image_by_the_end_of_its_path(call: Call, db: Path, photos: Path) -> None:
    picture = next((photos / "tool").iterdir())
    page = call("image", db, f"tool/{picture.name}", "--json").json()
    assert page["image"]["class_name"] == "tool"
    assert len(page["top"]) == len(CLASSES)
    assert all(region["caption"] for region in page["regions"])
    assert picture.name in call("image", db, picture.name).out


def test_search_finds_the_words_of_a_caption(call: Call, db: Path) -> None:
    text = call("show", db, "bird", "--json").json()["summary"]["sentences"][0]["text"]
    hits = call("search", db, *re.findall(r"\w+", text), "--json").json()
    assert text in [hit["text"] for hit in hits]
    for hit in hits:
        for start, end in hit["spans"]:
            assert 0 <= start < end <= len(hit["text"])
    assert "no caption holds" in call("search", db, "zyzzyva").out
    assert call("search", db, '"', "NEAR(", "*", "--json").json() == []


def test_summarize_is_the_stored_selection_for_the_stored_values(call: Call, db: Path) -> None:
    for name in CLASSES:
        stored = call("show", db, name, "--json").json()["summary"]["sentences"]
        (chosen,) = call("summarize", db, name, "-k", "5", "--json").json()
        again = chosen["summary"]["sentences"]
        assert [s["caption_id"] for s in again] == [s["caption_id"] for s in stored]
        assert [s["score"] for s in again] == pytest.approx([s["score"] for s in stored], rel=1e-4)
    (longer,) = call(
        "summarize", db, "bird", "-k", "7", "--redundancy-penalty", "0", "--json"
    ).json()
    # Those that stand for several regions come first.
    ranks = [(s["count"] > 1, s["relevance"]) for s in longer["summary"]["sentences"]]
    assert ranks == sorted(ranks, reverse=True)


def test_status_shows_every_stage(call: Call, db: Path) -> None:
    (page,) = call("status", db, "--json").json()
    assert page["run"]["status"] == "done"
    assert len(page["stages"]) == 6
    printed = call("status", db).out
    assert "summaries" in printed and "1 could not be read: bird/broken.webp" in printed


def test_upgrade_leaves_a_current_file_as_it_is(call: Call, db: Path) -> None:
    before = call("classes", db, "--json").out
    assert call("upgrade", db).code == 0
    assert call("classes", db, "--json").out == before


def test_upgrade_packs_embeddings_that_are_in_no_blocks(
    call: Call, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shutil.copy(db, tmp_path / "old.db")
    monkeypatch.setattr("db.writes.regions.FEWEST", 1)
    assert call("upgrade", old).code == 0
    with sqlite3.connect(old) as connection:
        (packed,) = connection.execute("SELECT sum(count) FROM embedding_block").fetchone()
        (stored,) = connection.execute("SELECT count(*) FROM embedding").fetchone()
    connection.close()
    assert packed == stored > 0


def test_sample_is_copied_and_nothing_is_overwritten(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    copied = call("sample", "--out", out, "--json").json()["images"]
    assert copied == len(list(sample_path().glob("*/*.webp")))
    again = call("sample", "--out", out)
    assert again.code == 2 and str(out.name) in again.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["classes", "{db}", "--sort", "beauty"], "--sort beauty"),
        (["classes", "missing.db"], "missing.db"),
        (["classes", "{photos}"], "is not a file"),
        (["show", "{db}", "brid"], "Did you mean bird?"),
        (["show", "{db}", "fru"], "Did you mean fruit?"),
        (["audit", "{db}", "tol"], "Did you mean tool?"),
        (["image", "{db}", "no/such.webp"], "no/such.webp"),
        (["image", "{db}", "crow"], "Did you mean bird/crow.webp?"),
        (["image", "{db}", "corw.webp"], "Did you mean crow.webp"),
        (["classes", "{db}", "--below", "many"], "--below many: give per cent"),
        (["classes", "{db}", "--below", "101"], "--below 101"),
        (["classes", "{db}", "--below", "0.5"], "is in per cent: give 50"),
        (["summarize", "{db}", "-k", "0"], "-k 0"),
        (["summarize", "{db}", "--redundancy-penalty", "-1"], "--redundancy-penalty"),
        (["status", "{db}", "--nonsense"], "--nonsense"),
        (["index", "missing", "--db", "{new}"], "missing"),
        (["index", "{photos}", "--db", "{new}", "--preset", "minni"], "mini"),
        (["index", "{photos}", "--db", "{new}", "--representation", "pool"], "--representation"),
        (["index", "{photos}", "--db", "{new}", "--regions", "0"], "--regions"),
        (["index", "{photos}", "--db", "{new}", "--template", "a photo"], "--template"),
        (["index", "{photos}", "--db", "{new}", "--templates", "mine"], "--templates mine"),
        (["index", "{photos}", "--db", "{new}", "--device", "abacus"], "--device abacus"),
        (["index", "{photos}", "--db", "{new}", "--model", "ViT-B-23"], "--model"),
        (["index", "{photos}", "--db", "{new}", "--lm", "./none"], "--lm"),
        (["index", "{photos}", "--db", "{new}", "--captioner", "clipcap:none.pt"], "none.pt"),
        (["index", "{photos}", "--db", "{new}", "--names", "none.tsv"], "none.tsv"),
        (["index", "{photos}", "--db", "no/folder/x.db"], "no/folder"),
        (["index", "{photos}", "--db", "{new}", "--log", "no/folder/x.log"], "--log no/folder"),
    ],
)
def test_a_mistake_ends_in_one_line_and_code_2(
    call: Call, db: Path, photos: Path, tmp_path: Path, arguments: list[str], named: str
) -> None:
    new = tmp_path / "new.db"
    places = {"db": db, "photos": photos, "new": new}
    result = call(*(argument.format(**places) for argument in arguments))
    assert result.code == 2
    assert named in result.err.replace("\n", "")
    assert "Traceback" not in result.err
    assert not new.exists()


def test_hostile_class_names_reach_the_terminal_harmlessly(
    call: Call, photos: Path, tmp_path: Path
) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("bird\tb\x1b[31mird[bold]\nfruit\tfr\u202euit\ntool\ttool\n")
    path = tmp_path / "hostile.db"
    indexed = call("index", photos, "--db", path, "--names", names, "--limit-per-class", "1")
    assert indexed.code == 3, indexed.err  # one of three photos is broken
    for command in (["classes", path], ["show", path, "bird"], ["status", path]):
        printed = call(*command)
        assert printed.code == 0
        assert "\x1b" not in printed.out and "\u202e" not in printed.out


def test_every_command_and_option_is_explained() -> None:
    import typer

    group = typer.main.get_command(cli.make_app())
    commands = group.commands  # type: ignore[attr-defined]
    readme = README.read_text(encoding="utf-8")
    for name, command in commands.items():
        assert command.help, name
        lines = re.split("\n\n", command.help)
        assert not any("\n" in line for line in lines), f"{name}: a terminal breaks its lines"
        if command.hidden:  # a former name
            continue
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"
        assert f"mapcap {name} " in readme, f"README says nothing of mapcap {name}"


def test_a_prediction_that_is_neither_right_nor_wrong_ends_no_summary(
    call: Call, db: Path, tmp_path: Path
) -> None:
    """As a damaged file has it: its column is NOT NULL."""
    damaged = tmp_path / "damaged.db"
    shutil.copy(db, damaged)
    schema = "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'prediction'"
    constraints = ("correct BOOLEAN NOT NULL", "correct BOOLEAN")
    for loose in (constraints, constraints[::-1]):
        with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(schema, loose)
        if loose is constraints:
            with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
                connection.execute("UPDATE prediction SET correct = NULL WHERE image_id % 2")
    shown = call("show", damaged, "bird", "--json")
    assert shown.code == 0, shown.err
    sentences = shown.json()["summary"]["sentences"]
    assert sentences and all(each["right"] + each["wrong"] > 0 for each in sentences)
