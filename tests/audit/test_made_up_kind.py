"""A kind of finding that nobody knows but its registry entry is shown by every reader."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import text
from textual.widgets import Static

from db import queries, writes
from db.engine import finish, open_read, open_write
from mapcap.audit.class_audit import audit_class
from mapcap.audit.cost import Cost
from mapcap.audit.findings import Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind
from mapcap.audit.kinds import AUDIT_VERSION, KINDS
from mapcap.audit.material import Material
from mapcap.commands.audit import audit
from mapcap.export.rows import chunks, columns
from mapcap.indexing.stages.auditor import new_audit
from mapcap.report.page import class_pages, pieces, read_head
from tests.audit.test_audit_findings import LYNX, ME, material
from tests.tui.conftest import fill, rest
from tui.app import make_app
from tui.screens.run_findings import RunFindingsScreen
from tui.widgets.record_table import Rows

TITLE = "5 of 8 objects are tiny"
COST = "Costs 4 images, 2 to 5: misclassified beyond chance, 95 % interval."
DETAIL = "5 objects cover less than 2 % of the photo."


def detect(inputs: AuditInputs) -> list[Finding]:
    ids = inputs.material.images.ids.tolist()[:5]
    return [Finding("size", TITLE, Cost(4, 2, 5), {"images": len(ids)}, ids)]


SIZE = Kind(
    name="size",
    plain="tiny thing",
    colour="#12ab34",
    detect=detect,
    details=lambda finding: [DETAIL],
    clause=lambda finding: f"{finding.figures['images']} objects are tiny",
)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of six classes, the first of which was audited with one kind more."""
    monkeypatch.setitem(KINDS, SIZE.name, SIZE)
    path = tmp_path / "kinds.db"
    engine = open_write(path)
    _, (tabby, *_) = fill(engine)
    report = audit_class(of_store(path, tabby))
    assert "; 5 objects are tiny" in report.line
    writes.add_audit(engine, new_audit(tabby, report))
    with engine.begin() as connection:
        connection.execute(text("UPDATE class_audit SET audit_version = :v"), {"v": AUDIT_VERSION})
    finish(engine)
    return path


def of_store(path: Path, class_id: int) -> Material:
    """Return material whose images and regions are those of a class of the store."""
    engine = open_read(path)
    images = queries.images(engine, class_id)
    regions = [queries.regions(engine, image.id)[0].id for image in images]
    engine.dispose()
    assert class_id == ME
    made = material([ME] + [LYNX] * 7, ["a cat."] * 8)
    return replace(
        made,
        images=replace(made.images, ids=np.array([image.id for image in images])),
        regions=replace(made.regions, ids=np.array(regions)),
        contrasts=replace(made.contrasts, ids=np.array(regions[1:])),
    )


def test_the_command_prints_it(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit(stored, "tabby")
    page = capsys.readouterr().out
    assert "tiny thing" in page and TITLE in page and DETAIL in page
    audit(stored, "tabby", json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    (found,) = [one["finding"] for one in findings if one["finding"]["kind"] == "size"]
    assert (found["plain"], found["details"], found["images"]) == ("tiny thing", [COST, DETAIL], 5)


async def test_the_app_shows_it(stored: Path) -> None:
    app = make_app(stored, class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        rows = app.screen.query_one("#findings", Rows)
        kinds = [record.finding.kind for record in rows.records]
        await pilot.press("home", *["down"] * kinds.index("size"))
        await rest(pilot)
        assert rows.record is not None and rows.record.finding.kind == "size"
        console = Console(width=100, color_system="truecolor", force_terminal=True)
        with console.capture() as capture:
            console.print(app.screen.query_one("#finding", Static).content)
        said = capture.get()
        assert "tiny thing" in said and "48;2;18;171;52" in said, "on the colour of the kind"
        assert "objects cover less than" in said
    app = make_app(stored, images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        await pilot.press("f")
        await rest(pilot)
        assert isinstance(app.screen, RunFindingsScreen)
        shown: set[str] = set()
        for _ in range(2 * len(KINDS)):
            await pilot.press("f")
            await rest(pilot)
            listed = {each.finding.kind for each in app.screen.query_one(Rows).records}
            shown |= listed if len(listed) == 1 else set()
        assert "size" in shown, "it can be chosen among the kinds"


def test_the_report_holds_it(stored: Path) -> None:
    engine = open_read(stored)
    head = read_head(engine, queries.latest_run(engine), ["tabby"])
    page = b"".join(pieces(head, class_pages(engine, head))).decode("utf-8")
    assert '<span class="kind">tiny thing</span>' in page and TITLE in page and DETAIL in page


def test_the_export_holds_it(stored: Path) -> None:
    engine = open_read(stored)
    names = [column.name for column in columns("findings")]
    parts = chunks(engine, queries.latest_run(engine), "findings", {})
    rows = [dict(zip(names, row, strict=True)) for part in parts for row in part]
    (found,) = [row for row in rows if row["kind"] == "size"]
    assert (found["class"], found["title"]) == ("tabby", TITLE)
    assert json.loads(str(found["details"])) == [COST, DETAIL]
