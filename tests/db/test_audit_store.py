"""The audit and the metrics, written and read back."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from db import queries, writes
from db.queries.export import rows
from db.queries.export_tables import TABLES
from db.records import ErrorWord, Figure, FindingKind
from db.rows import NewAudit, NewFinding

WORD = ErrorWord("dark", None, 1.5, 3.0, 0.01, 0.2, 0.1, 0.3, 4, 1, 3)


def audit(store: Any, **changes: Any) -> NewAudit:
    images = list(store.images.values())
    regions = [region.id for region in queries.regions(store.engine, images[0])]
    new = NewAudit(
        class_id=store.tabby,
        line="tabby: 1 of 2 correct",
        clauses=[{"text": "1 of 2 correct", "figures": {"correct": 1}}],
        figures={"ece": 0.25, "bins": [[0.1, 0.0, 1]]},
        words=[replace(WORD, word="pale", z=-1.0), WORD],
        findings=[
            NewFinding(
                "confusion", "predicted as lynx", 0.5, {"count": 1}, images[:2][::-1], regions
            ),
            NewFinding("word", "dark marks the errors", 0.25, {"z": 3.0}),
        ],
    )
    return replace(new, **changes)


def test_an_audit_comes_back_as_it_was_written(store: Any) -> None:
    engine = store.engine
    assert queries.class_audit(engine, store.tabby) is None
    new = audit(store)
    writes.add_audit(engine, new)
    found = queries.class_audit(engine, store.tabby)
    assert found is not None
    assert (found.line, found.figures) == (new.line, new.figures)
    assert found.clauses == [{"text": "1 of 2 correct", "figures": {"correct": 1}}]
    first, second = queries.findings(engine, store.tabby)
    assert (first.kind, first.position, first.title, first.score, first.figures) == (
        "confusion",
        0,
        "predicted as lynx",
        0.5,
        {"count": 1},
    )
    assert (first.images, second.images, second.regions) == (2, 0, 0)
    assert first.regions == len(new.findings[0].region_ids) > 0
    assert [i.id for i in queries.finding_images(engine, first.id)] == list(
        new.findings[0].image_ids
    )
    assert [i.id for i in queries.finding_images(engine, first.id, limit=1, offset=1)] == [
        new.findings[0].image_ids[1]
    ]
    assert [r.id for r in queries.finding_regions(engine, first.id)] == list(
        new.findings[0].region_ids
    )
    assert queries.error_words(engine, store.tabby) == [WORD, replace(WORD, word="pale", z=-1.0)]


def test_an_audit_replaces_the_one_before(store: Any) -> None:
    writes.add_audit(store.engine, audit(store))
    writes.add_audit(store.engine, audit(store, findings=[], words=[], line="again"))
    found = queries.class_audit(store.engine, store.tabby)
    assert found is not None
    assert found.line == "again"
    assert queries.findings(store.engine, store.tabby) == []
    assert queries.error_words(store.engine, store.tabby) == []
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM finding_image")).scalar() == 0


def test_words_are_kept_apart_by_what_they_were_tested_against(store: Any) -> None:
    against = replace(WORD, against_class_id=store.lynx)
    writes.add_audit(store.engine, audit(store, words=[WORD, against]))
    assert queries.error_words(store.engine, store.tabby) == [WORD]
    assert queries.error_words(store.engine, store.tabby, store.lynx) == [against]


def test_findings_of_a_run_come_by_score(store: Any) -> None:
    writes.add_audit(store.engine, audit(store))
    strong = NewFinding("label", "one label", 0.9, {})
    writes.add_audit(store.engine, audit(store, class_id=store.lynx, findings=[strong]))
    found = queries.run_findings(store.engine, store.run_id)
    assert [(f.class_id, f.score) for f in found] == [
        (store.lynx, 0.9),
        (store.tabby, 0.5),
        (store.tabby, 0.25),
    ]
    assert [f.kind for f in queries.run_findings(store.engine, store.run_id, "word")] == ["word"]
    assert queries.run_findings(store.engine, store.run_id + 1) == []
    assert queries.run_findings(store.engine, store.run_id, limit=2) == found[:2]
    assert queries.run_findings(store.engine, store.run_id, "word", limit=2) == found[2:]


def test_the_classes_that_words_were_held_against(store: Any) -> None:
    assert queries.word_rivals(store.engine, store.tabby) == []
    words = [
        WORD,
        replace(WORD, against_class_id=store.crane),
        replace(WORD, against_class_id=store.lynx),
        replace(WORD, against_class_id=store.lynx, word="pale"),
    ]
    writes.add_audit(store.engine, audit(store, words=words))
    rivals = queries.word_rivals(store.engine, store.tabby)
    assert rivals == [(store.lynx, "lynx"), (store.crane, "crane")]
    assert queries.word_rivals(store.engine, store.lynx) == []


def test_a_class_is_audited_again_only_when_it_has_grown(store: Any) -> None:
    engine = store.engine
    assert store.tabby in queries.pending_audit(engine, store.run_id)
    writes.add_audit(engine, audit(store))
    assert store.tabby not in queries.pending_audit(engine, store.run_id)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE class_name SET predicted = predicted + 1 WHERE id = :id"),
            {"id": store.tabby},
        )
    assert store.tabby in queries.pending_audit(engine, store.run_id)
    writes.add_audit(engine, audit(store))
    with engine.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM region_caption WHERE region_id IN "
                "(SELECT min(region_id) FROM region_caption WHERE class_id = :id)"
            ),
            {"id": store.tabby},
        )
    assert store.tabby in queries.pending_audit(engine, store.run_id)


def test_figures_are_updated_by_name(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    writes.set_figures(
        engine, run_id, [Figure("a", 1.0, None, None, 3)], {store.tabby: {"x": 0.5, "y": 1.0}}
    )
    writes.set_figures(
        engine,
        run_id,
        [Figure("a", 2.0, 1.0, 3.0, 4), Figure("b", 0.0, None, None, 1)],
        {store.tabby: {"x": 0.25}},
    )
    assert queries.figures(engine, run_id) == [
        Figure("a", 2.0, 1.0, 3.0, 4),
        Figure("b", 0.0, None, None, 1),
    ]
    assert queries.class_figures(engine, run_id) == {store.tabby: {"x": 0.25, "y": 1.0}}
    image_id = next(iter(store.images.values()))
    writes.add_image_figures(engine, {image_id: {"insertion": 0.5}})
    writes.add_image_figures(engine, {image_id: {"deletion": 0.25}})
    assert queries.image_figures(engine, run_id) == {image_id: {"deletion": 0.25, "insertion": 0.5}}
    assert queries.image_figures(engine, run_id + 1) == {}


def test_evidence_that_is_not_in_the_file_is_refused_whole(store: Any) -> None:
    writes.add_audit(store.engine, audit(store))
    wrong = NewFinding("watermark", "a mark", 0.5, {}, [10**9])
    with pytest.raises(Exception, match="FOREIGN KEY"):
        writes.add_audit(store.engine, audit(store, line="never", findings=[wrong]))
    found = queries.class_audit(store.engine, store.tabby)
    assert found is not None
    assert found.line == "tabby: 1 of 2 correct"


def test_what_is_printed_of_a_finding_comes_back(store: Any) -> None:
    new = NewFinding(
        "size", "tiny", 0.5, {}, plain="tiny thing", colour="#12aB34", overlay=False,
        details=["first", "second"],
    )  # fmt: skip
    writes.add_audit(store.engine, audit(store, findings=[new]))
    (found,) = queries.findings(store.engine, store.tabby)
    assert (found.kind, found.plain, found.colour) == ("size", "tiny thing", "#12aB34")
    assert (found.overlay, found.details) == (False, ["first", "second"])
    kinds = queries.finding_kinds(store.engine, store.run_id)
    assert kinds == [FindingKind("size", "tiny thing", "#12aB34")]


def test_a_finding_of_format_2_is_read_under_its_present_name(store: Any) -> None:
    """It was called a mark, and brought nothing to print."""
    writes.add_audit(store.engine, audit(store, findings=[NewFinding("mark", "lime", 0.5, {})]))
    (found,) = queries.findings(store.engine, store.tabby)
    assert (found.kind, found.plain, found.details) == ("watermark", "watermark", [])
    assert queries.findings(store.engine, store.tabby, "watermark") == [found]
    assert queries.run_findings(store.engine, store.run_id, "watermark") == [found]
    assert [kind.name for kind in queries.finding_kinds(store.engine, store.run_id)] == [found.kind]
    (row,) = (row for part in rows(store.engine, store.run_id, "findings") for row in part)
    names = [column.name for column in TABLES["findings"].columns]
    assert dict(zip(names, row, strict=True))["kind"] == "watermark"


@pytest.mark.parametrize("colour", ["red", "#12", "#12345g", "#123456;}", "", "link(x)"])
def test_what_is_no_colour_is_none(store: Any, colour: str) -> None:
    new = NewFinding("size", "tiny", 0.5, {}, colour=colour)
    writes.add_audit(store.engine, audit(store, findings=[new]))
    assert queries.findings(store.engine, store.tabby)[0].colour == "#ffffff"


def test_strange_values_of_a_finding_are_left_out(store: Any) -> None:
    writes.add_audit(store.engine, audit(store))
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE finding SET details = '{\"a\": 1}', figures = '[1]'"))
        connection.execute(text("UPDATE finding SET kind = 7 WHERE position = 1"))
    first, second = queries.findings(store.engine, store.tabby)
    assert (first.details, first.figures) == ([], {})
    assert (second.kind, second.plain) == ("7", "7")


def test_an_audit_of_an_older_version_is_pending_where_the_version_is_asked_for(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    writes.add_audit(engine, audit(store, version=1))
    assert store.tabby not in queries.pending_audit(engine, run_id, 1)
    assert store.tabby in queries.pending_audit(engine, run_id, 2)
    assert queries.outdated_audits(engine, run_id, 1) == []
    assert queries.outdated_audits(engine, run_id, 2) == [store.tabby]
