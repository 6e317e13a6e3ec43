"""The report's HTML: whole, harmless, linked, written one class at a time."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import queries, writes
from db.engine import open_read, open_write
from db.rows import NewClass, NewImage
from db.verdicts import Verdict, write_verdict
from mapcap.report import page as page_module
from mapcap.report.class_page import ClassPage
from mapcap.report.examples import spread
from mapcap.report.page import class_pages, pieces, read_head
from mapcap.runs.confusion_matrix import read_matrix
from mapcap.text import clean

VOID = {"meta", "img", "path", "circle", "br"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def source_of(engine: Any, *only: str) -> str:
    head = read_head(engine, queries.latest_run(engine), only)
    return b"".join(pieces(head, class_pages(engine, head))).decode("utf-8")


@pytest.fixture(scope="module")
def source(filled: Any) -> str:
    return source_of(filled.engine)


@pytest.fixture(scope="module")
def parsed(source: str) -> Page:
    return Page(source)


def test_nothing_is_loaded_and_nothing_runs(parsed: Page) -> None:
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video"}
    for _, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:image/webp;base64,").startswith("data:image/webp;base64")
        assert attributes.get("href", "#").startswith("#")
        assert "url(" not in attributes.get("style", "")
    policies = [each for each in parsed.named("meta") if "http-equiv" in each]
    assert policies[0]["content"].startswith("default-src 'none'; img-src data:;")


def test_no_control_character_gets_into_the_page(source: str) -> None:
    # Line ends are the templates' own.
    lines = source.split("\n")
    assert all(clean(line) == line for line in lines)
    assert "{{ 7 * 7 }}" in source and "7*7" not in source
    assert "longlong" in source
    assert "long" * 300 not in source


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


def test_pictures_have_words_and_tables_have_headers(parsed: Page) -> None:
    pictures = parsed.named("img")
    # Of each class: 2 right with 2 views, 4 wrong with 4, and evidence of 4 + 2 images.
    assert len(pictures) == 4 * (2 * 2 + 4 * 4 + 6)
    assert all(each["alt"].strip() and each["width"] == each["height"] for each in pictures)
    assert any("a grey cat on a sofa." in each["alt"] for each in pictures)
    assert all(each.get("scope") for each in parsed.named("th"))
    assert parsed.named("html") == [{"lang": "en"}]


def test_figures_are_shown(parsed: Page) -> None:
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    assert "8 of 24 images are classified rightly: 33.3%" in text
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


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_is_shown_as_text(said: str) -> None:
    template = page_module.make_environment().from_string('<p title="{{ said }}">{{ said }}</p>')
    page = Page(template.render(said=said))
    shown = said if len(said) <= 800 else said[:799] + "…"
    assert [tag for tag, _ in page.elements] == ["p"]
    assert "".join(page.text) == clean(shown) == page.named("p")[0]["title"]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours after WCAG 2."""

    def luminance(colour: str) -> float:
        digits = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_in_light_and_dark_and_on_paper() -> None:
    folder = Path(page_module.__file__).parent / "templates"
    blocks = re.findall(r":root \{(.*?)\}", (folder / "report.css").read_text(), re.S)
    assert len(blocks) == 3
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#\w+);", block))
        for name, least in (("ink", 7), ("quiet", 4.5), ("right", 3), ("wrong", 3)):
            assert contrast(colours[name], colours["paper"]) >= least, (block, name)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


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


def test_the_command_writes_a_file_and_keeps_what_is_there(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    out = tmp_path / "report.html"
    result = call("report", filled.path, "--out", out)
    assert result.code == 0, result.err
    assert "4 classes in" in result.out and "MB)" in result.out
    assert out.read_text("utf-8").startswith("<!doctype html>")
    before = out.read_bytes()
    refused = call("report", filled.path, "--out", out, "--class", "tabby")
    assert refused.code == 2 and "--force" in refused.err
    assert out.read_bytes() == before
    result = call("report", filled.path, "--out", out, "--class", "tabby", "--force", "--json")
    assert result.code == 0 and f'"bytes": {out.stat().st_size}' in result.out
    assert out.stat().st_size < len(before)
    assert list(tmp_path.iterdir()) == [out]


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


def test_your_verdicts_are_in_the_page(own: Any, call: Callable[..., Any], tmp_path: Path) -> None:
    mine, out = tmp_path / "mine.sqlite", tmp_path / "report.html"
    run_hash = queries.latest_run(own.engine).config_hash
    path, made = own.paths[0][1], datetime(2026, 1, 2, tzinfo=UTC)
    for kind, name, mark, note in (
        ("image", path, "label wrong", "a <b>dog</b>\x1b[0m"),
        ("image", "gone.jpg", "fine", ""),
        ("class", "n01", "ambiguous", "two breeds"),
        ("finding", "n01: 3 of 6 are dark", "noise", "the evening light"),
        ("finding", "n9: of no class here", "true", ""),
    ):
        write_verdict(mine, Verdict(run_hash, kind, name, mark, note, made))  # type: ignore[arg-type]
    assert call("report", own.path, "--out", out, "--verdicts", mine).code == 0
    source = out.read_text("utf-8")
    parsed = " ".join(" ".join(Page(source).text).split())
    assert "1 ambiguous, 1 fine, 1 label wrong, 1 noise, 1 true" in parsed
    assert f"label wrong a <b>dog</b>\ufffd[0m {clean(path)}" in parsed
    assert "ambiguous two breeds the class" in parsed and "gone.jpg" not in parsed
    assert "noise the evening light 3 of 6 are dark" in parsed and "of no class" not in parsed
    assert "<b>" not in source
    lost = call("report", own.path, "--out", out, "--force", "--verdicts", tmp_path / "none")
    assert lost.code == 2 and "--verdicts" in lost.err
    assert call("report", own.path, "--out", out, "--force").code == 0
    assert "Your verdicts" not in out.read_text("utf-8")


def test_a_class_that_is_not_there_is_named_before_anything_is_written(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    result = call("report", filled.path, "--out", tmp_path / "x.html", "--class", "tabbi")
    assert result.code == 2 and "tabbi" in result.err
    assert not list(tmp_path.iterdir())


def test_a_store_can_be_read_while_the_report_is_written(filled: Any, tmp_path: Path) -> None:
    engine = open_read(filled.path)
    stream = pieces(
        head := read_head(engine, queries.latest_run(engine), ()), class_pages(engine, head)
    )
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
