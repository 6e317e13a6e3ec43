"""An audit that is not there yet, is made again, or is an older one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from db import queries, writes
from db.rows import NewAudit, NewFinding
from tests.tui.looking import Press, Settle, evidence, kinds, rows, shown
from tui.app import make_app
from tui.widgets.finding_detail import Evidence


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_before_the_audit_one_line_says_what_is_missing(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
    size: tuple[int, int],
) -> None:
    run_id, ids = fill_run(growing, "mini", ["tabby", "lion"], audit=False)
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)

        def line() -> str:
            return " ".join(shown(app, "#audit-line").split())

        assert line() == (
            "no audit yet: run the same `mapcap index` command again, which adds what is missing"
        )
        writes.set_status(growing, run_id, "running")
        writes.begin_stage(growing, run_id, "captions", position=5, total=32, done=8)
        app.poll()
        await settle(pilot)
        assert (
            line()
            == "no audit yet: the job is at captions 8/32; it will appear when that stage finishes"
        )
        writes.finish_stage(growing, run_id, "captions")
        writes.begin_stage(growing, run_id, "audit", position=8, total=2, done=1)
        app.poll()
        await settle(pilot)
        assert line() == "no audit yet: 1 of 2 audit done"
        finding = NewFinding("watermark", "a mark", 0.5, {}, [])
        writes.add_audit(growing, NewAudit(ids[0], "tabby: 1 of 8 correct", [], {}, [], [finding]))
        writes.finish_stage(growing, run_id, "audit")
        app.poll()
        await settle(pilot)
        assert line() == "1 of 8 correct"
        assert kinds(app) == ["watermark"]


async def test_an_audit_made_anew_does_not_move_the_cursor(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    run_id, ids = fill_run(growing, "mini", ["tabby", "lion"])
    images = [image.id for image in queries.images(growing, ids[0])]
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "right")
        title = rows(app).record.finding.title
        findings = [
            NewFinding("word", "a stronger one", 0.9, {}),
            NewFinding("label", title, 0.2, {}, images[:2]),
        ]
        new = NewAudit(ids[0], "tabby: more", [], {}, [], findings)
        writes.add_audit(growing, new)
        writes.begin_stage(growing, run_id, "audit", position=8, total=2, done=1)
        app.poll()
        await settle(pilot)
        assert [each.finding.title for each in rows(app).records] == ["a stronger one", title]
        assert rows(app).record.finding.title == title
        assert [each.image.id for each in evidence(app)] == images[:2]
        assert app.screen.query_one(Evidence).cursor == 1


async def test_a_finding_of_an_older_audit_is_shown_without_details(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    """What a file of format 2 holds after `mapcap upgrade`: a mark, and no printed lines."""
    fill_run(growing, "mini", ["tabby", "lion"])
    with growing.begin() as connection:
        connection.execute(text("UPDATE finding SET kind = 'mark' WHERE kind = 'watermark'"))
        connection.execute(text("UPDATE finding SET plain = '', colour = '', details = '[]'"))
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "down", "down")
        assert kinds(app) == ["confusion", "label", "slice", "watermark", "confusion"]
        assert shown(app, "#finding").split() == (
            "watermark 6 of 8 have the same lime mark at the top left".split()
        )
        assert len(evidence(app)) > 1
