"""The report's HTML: whole, linked, written one class at a time."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import queries, writes
from db.engine import open_read, open_write
from db.rows import NewClass, NewImage
from mapcap.report.class_page import ClassPage
from mapcap.report.examples import spread
from mapcap.report.page import class_pages, pieces, read_head
from mapcap.runs.confusion_matrix import read_matrix
from mapcap.text import clean
from tests.report.parsing import Page, source_of


def test_every_link_leads_somewhere_and_every_class_is_linked(parsed: Page) -> None:
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"].removeprefix("#") for attributes in parsed.named("a")}
    assert targets <= set(ids)
    assert {"class-0", "class-1", "class-2", "class-3", "metrics", "classes"} <= targets
    labels = [
        name for _, each in parsed.elements for name in each.get("aria-labelledby", "").split()
    ]
    assert set(labels) <= set(ids)


def test_figures_are_shown(parsed: Page) -> None:
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    assert "8 of 24 images are classified correctly: 33.3%" in text
    assert "2 of 6 correct" in text
    assert "pointing" in text and "centre prior 0.500" in text and "+0.20" in text
    assert "−0.90" in text and "0.020" in text
    assert "a figure of a later version" not in text
    assert "100 % of the errors go there (q 1.0e-09)." in text
    assert "Calibration error 0.30" in text
    assert "sofa" in text and "0.25" in text


def test_only_the_classes_asked_for(filled: Any) -> None:
    page = Page(source_of(filled.engine, "n01", "tabby"))
    anchors = {each["id"] for each in page.named("section")}
    assert {"class-0", "class-1"} <= anchors
    assert "class-2" not in anchors
    # What the second is predicted as is not in the page: a name, not a link.
    assert "#class-2" not in {each["href"] for each in page.named("a")}


def test_one_class_at_a_time(filled: Any) -> None:
    head = read_head(filled.engine, queries.latest_run(filled.engine), ())
    made: list[int] = []

    def counted() -> Iterator[ClassPage]:
        for page in class_pages(filled.engine, head):
            made.append(page.record.position)
            yield page

    written = b""
    for piece in pieces(head, counted()):
        written += piece
        done = written.count(b'<section class="class"')
        assert len(made) - done <= 1
    assert len(made) == 4


def test_a_run_that_has_just_begun(tmp_path: Path, run_spec: Callable[..., Any]) -> None:
    engine = open_write(tmp_path / "new.db")
    run_id = writes.start_run(engine, run_spec())
    assert "This run holds no classes yet" in source_of(engine)
    ids = writes.add_classes(engine, run_id, [NewClass(0, "tabby", "n0")])
    writes.add_images(engine, run_id, [NewImage("n0/a.jpg", ids[0], error="not a picture")])
    writes.begin_stage(engine, run_id, "scan", position=0, total=9, done=1)
    page = " ".join(Page(source_of(engine)).text)
    assert "No image has been classified yet" in page
    assert "not finished (running): scan 1 of 9." in page
    assert "1 class lacks an audit" in page
    assert "1 image could not be read: n0/a.jpg." in page
    assert 'id="metrics"' not in source_of(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM thumbnail",
        "UPDATE thumbnail SET webp = x'00'",
        "DELETE FROM relevance",
        "DELETE FROM summary",
        "DELETE FROM region_caption",
        "UPDATE class_audit SET figures = '[1]', clauses = '7'",
        "UPDATE finding SET figures = '[1]', kind = '<b>'",
        'UPDATE finding SET details = \'[7, {"a": []}, null]\', plain = 7, colour = "red;}"',
        "UPDATE finding SET details = '{}', plain = '<b>'",
        "DELETE FROM prediction",
        "UPDATE run SET config = '{}', networks = '{}', versions = '{}', dataset = '/'",
    ],
)
def test_what_is_missing_or_strange_is_left_out(own: Any, damage: str) -> None:
    with own.engine.begin() as connection:
        connection.execute(text(damage))
    assert Page(source_of(own.engine, "tabby")).named("section")


def test_a_line_is_shown_without_its_class(own: Any) -> None:
    with own.engine.begin() as connection:
        connection.execute(text("UPDATE class_audit SET line = 'tabby: as it is'"))
    assert '<p class="line"><bdi>as it is</bdi></p>' in source_of(own.engine, "tabby")


def test_examples_are_spread_evenly() -> None:
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread([5, 6, 7], 4) == [5, 6, 7]
    assert spread([], 4) == []


def test_the_page_of_real_pictures_is_small_enough(tmp_path: Path, own: Any) -> None:
    """Twenty-five classes with the pictures of the sample stay under 15 MB."""
    from io import BytesIO

    from PIL import Image as Pictures

    from mapcap.datasets.sample import sample_path

    files = sorted(sample_path().glob("*/*.webp"))[::5]
    ids = [image.id for class_id in own.ids for image in queries.images(own.engine, class_id)]
    with own.engine.begin() as connection:
        for place, image_id in enumerate(ids):
            shown = BytesIO()
            with Pictures.open(files[place % len(files)]) as picture:
                picture.convert("RGB").resize((256, 256)).save(shown, "WEBP", quality=80)
            connection.execute(
                text("UPDATE thumbnail SET webp = :webp WHERE image_id = :id"),
                {"webp": shown.getvalue(), "id": image_id},
            )
    # These have 20 pictures and 6 small ones; a full class may have 24 and some 40.
    assert len(source_of(own.engine)) / 2 * 25 < 15e6 / 1.5


def test_the_page_begins_with_why_and_ends_with_the_figures(filled: Any, source: str) -> None:
    places = [source.index(f'id="{name}"') for name in ("classes", "class-0", "metrics")]
    assert places == sorted(places)
    assert source.index('id="metrics"') > max(source.index(f'id="class-{i}"') for i in range(4))
    table = source[places[0] : source.index("</table>", places[0])]
    head = read_head(filled.engine, queries.latest_run(filled.engine), ())
    assert head.why and ">Why</th>" in table
    for line in head.why.values():
        start = clean(line)[:40].partition("“")[0].partition("<")[0].partition("&")[0].strip()
        assert start in table


def test_a_store_can_be_read_while_the_report_is_written(filled: Any, tmp_path: Path) -> None:
    engine = open_read(filled.path)
    head = read_head(engine, queries.latest_run(engine), ())
    stream: Any = pieces(head, class_pages(engine, head))
    next(stream)
    assert queries.counts(open_read(filled.path), filled.run_id).images == 24
    stream.close()
    engine.dispose()


def test_the_confusion_matrix_is_there(filled: Any, parsed: Page, source: str) -> None:
    matrix = read_matrix(filled.engine, queries.latest_run(filled.engine).id, 24)
    assert matrix.classes, "the fixture has confusions"
    assert "#confusions" in {attributes.get("href") for _, attributes in parsed.elements}
    table = source[source.index('<table class="matrix">') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") == 1 + len(matrix.classes)
    assert table.count('class="diagonal"') == len(matrix.classes)
    for share in matrix.shares[matrix.shares >= 0.005]:
        assert f">{100 * share:.0f}</td>" in table
