"""Wherever predictions are shown, it is said whose they are, and what they lack is left out."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import text
from textual.widgets import Static

from db import queries, writes
from db.engine import finish, open_read, open_write
from db.rows import NewPrediction, NewWitness
from mapcap.commands.audit import audit
from mapcap.commands.details import image, show_class
from mapcap.commands.overview import classes, status
from mapcap.config import IndexConfig
from mapcap.export.rows import chunks, columns
from mapcap.report.page import class_pages, pieces, read_head
from tests.tui.conftest import fill, rest
from tui.app import make_app
from tui.screens.compare import CompareScreen
from tui.screens.one_image import ImageScreen

SOURCE = "predictions: resnet.csv; explained by tiny"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: zero-shot; and of a classifier that names classes alone, the CLIP seeing half."""
    path = tmp_path_factory.mktemp("given") / "runs.db"
    engine = open_write(path)
    fill(engine, "one")
    run_id, ids = fill(engine, "two")
    for class_id in ids:
        found = queries.images(engine, class_id)
        writes.add_predictions(
            engine,
            [
                NewPrediction(
                    each.id,
                    [(each.predicted_class_id or 0, None, None)],
                    None,
                    1 if each.correct else None,
                    None,
                )
                for each in found
            ],
        )
        other = ids[(ids.index(class_id) + 3) % len(ids)]
        said = [each.predicted_class_id if n % 2 else other for n, each in enumerate(found)]
        witness = [
            NewWitness(each.id, seen or 0, 0.625, 0.1)
            for each, seen in zip(found, said, strict=True)
        ]
        writes.add_witness(engine, witness)
    writes.aggregate_accuracy(engine, run_id)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE run SET config = :config WHERE config_hash = 'two'"),
            {
                "config": json.dumps(
                    asdict(IndexConfig(photos="photos", predictions="/x/resnet.csv"))
                )
            },
        )
        # The photos of both runs are the same.
        connection.execute(text("UPDATE image SET path = replace(path, 'two/', 'same/')"))
        connection.execute(text("UPDATE image SET path = replace(path, 'one/', 'same/')"))
    assert finish(engine)
    return path


def test_the_commands_say_it(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for call in (
        lambda: status(given),
        lambda: classes(given, run=2),
        lambda: show_class(given, "tabby", run=2),
        lambda: audit(given, run=2),
        lambda: image(given, "n00/1.jpg", run=2),
    ):
        call()
        page = " ".join(capsys.readouterr().out.split())
        assert f"{SOURCE}, which agrees with it on 50 % of the images" in page
    assert "the CLIP itself says" in page and "(0.625)" in page
    classes(given, run=1)
    assert SOURCE not in capsys.readouterr().out
    audit(given, run=2, against=1)
    assert "run 1 → run 2 (tiny zero-shot → resnet.csv)" in capsys.readouterr().out
    show_class(given, "tabby", run=2, json=True)
    assert json.loads(capsys.readouterr().out)["class"]["agreed"] == 4


def test_the_report_and_the_export_say_it(given: Path) -> None:
    engine = open_read(given)
    run = queries.run(engine, 2)
    head = read_head(engine, run, ["tabby"])
    page = b"".join(pieces(head, class_pages(engine, head))).decode("utf-8")
    assert f"{SOURCE}, which agrees" in page and "the CLIP says" in page
    assert "itself <span" not in page, "no probability of the true class is known"
    names = [column.name for column in columns("images")]
    rows = [
        dict(zip(names, r, strict=True)) for part in chunks(engine, run, "images", {}) for r in part
    ]
    assert all(row["confidence"] is None for row in rows)
    engine.dispose()


def test_images_without_margins_are_listed_page_by_page(given: Path) -> None:
    engine = open_read(given)
    for found in queries.classes(engine, 2):
        every = [each.id for each in queries.every_image(engine, found.id)]
        assert every == sorted(every) and len(every) == 8
        first = queries.images(engine, found.id, limit=3)
        after = (first[-1].margin, first[-1].id)
        rest_of = queries.images(engine, found.id, after=after)
        assert [each.id for each in (*first, *rest_of)] == every
        before = queries.images(engine, found.id, descending=True, after=after, limit=1)
        assert [each.id for each in before] == every[1:2], "the step back"
        wrong = queries.images(engine, found.id, show="wrong")
        assert len(wrong) == queries.count_images(engine, found.id, show="wrong")
        assert all(each.correct is False for each in wrong)
    engine.dispose()


async def test_the_app_says_it(given: Path) -> None:
    app = make_app(given, run=2, images="half")
    async with app.run_test(size=(160, 40)) as pilot:
        await rest(pilot)
        assert "agrees with it on 50 %" in shown(app.screen.query_one("#title", Static))
        await pilot.press("enter")
        await rest(pilot)
        await pilot.press("4")
        await rest(pilot)
        await pilot.press("enter")
        await rest(pilot)
        assert isinstance(app.screen, ImageScreen)
        title = shown(app.screen.query_one("#title", Static))
        assert "the CLIP says" in title and "p(true)" not in title and "margin" not in title
        await pilot.press("ctrl+r")
        await rest(pilot)
        await pilot.press("down", "c")
        await rest(pilot)
        assert isinstance(app.screen, CompareScreen)
        assert "tiny zero-shot → resnet.csv" in shown(app.screen.query_one("#title", Static))


def shown(widget: Static) -> str:
    console = Console(width=300)
    with console.capture() as capture:
        console.print(widget.content)
    return capture.get()
