"""The stage over a real store: what it stores is true of the store."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db import queries
from db.engine import open_read
from db.records import ClassName
from mapcap.audit.kinds import AUDIT_VERSION, KINDS
from mapcap.audit.words import phrases
from tests.audit.conftest import CLASSES, MARKED, index


def classes(engine: Engine) -> list[ClassName]:
    return queries.classes(engine, queries.latest_run(engine).id)


def test_every_class_has_a_line_with_its_own_figures(engine: Engine) -> None:
    for found in classes(engine):
        audit = queries.class_audit(engine, found.id)
        assert audit is not None
        assert audit.line.startswith(
            f"{found.name}: {found.correct} of {found.predicted} correct; "
        )
        assert audit.line == f"{found.name}: " + "; ".join(c["text"] for c in audit.clauses)
        assert all(clause["figures"] for clause in audit.clauses)
        images = sum(part["images"] for part in audit.figures["bins"])
        assert images == audit.figures["predicted_images"] >= found.correct


def test_calibration_is_that_of_the_stored_probabilities(engine: Engine) -> None:
    for found in classes(engine):
        audit = queries.class_audit(engine, found.id)
        assert audit is not None
        images = queries.images(engine, found.id)
        margins = [image.margin for image in images if image.margin is not None]
        tops = [
            queries.top_classes(engine, image.id)[0].probability
            for other in classes(engine)
            for image in queries.images(engine, other.id)
            if image.predicted_class_id == found.id
        ]
        if tops:
            known = [each for each in tops if each is not None]
            assert audit.figures["mean_confidence"] == pytest.approx(sum(known) / len(tops))
        assert audit.figures["mean_margin"] == pytest.approx(sum(margins) / len(margins))


def test_findings_stand_in_order_with_evidence_of_their_class(engine: Engine) -> None:
    kinds = set()
    for found in classes(engine):
        findings = queries.findings(engine, found.id)
        assert [finding.position for finding in findings] == list(range(len(findings)))
        costs = [finding.score for finding in findings]
        assert costs == sorted(costs, reverse=True) and all(cost >= 0 for cost in costs)
        for finding in findings:
            cost = finding.figures["cost"]
            assert finding.score == cost["images"] and cost["low"] <= cost["images"] <= cost["high"]
            kind = KINDS[finding.kind]
            assert (finding.plain, finding.colour, finding.overlay) == (
                kind.plain, kind.colour, kind.overlay,
            )  # fmt: skip
            assert finding.details and all(line.strip() for line in finding.details)
            kinds.add(finding.kind)
            images = queries.finding_images(engine, finding.id)
            regions = queries.finding_regions(engine, finding.id)
            assert {image.class_id for image in images} <= {found.id}
            assert {region.class_id for region in regions} <= {found.id}
    assert {"watermark", "confusion"} <= kinds


def test_confusions_are_the_stored_ones(engine: Engine) -> None:
    for found in classes(engine):
        counts = {c.predicted_class_id: c.count for c in queries.confusions(engine, found.id)}
        for finding in queries.findings(engine, found.id, "confusion"):
            said = finding.figures.get("predicted_class_id")
            if said is not None:
                images = queries.finding_images(engine, finding.id)
                assert finding.images == finding.figures["count"] == counts[said]
                assert {image.predicted_class_id for image in images} == {said}
                regions = queries.finding_regions(engine, finding.id)
                assert {region.role for region in regions} <= {"contrast"}


def test_the_watermark_is_found_only_where_it_is(engine: Engine) -> None:
    marks = {
        found.name: finding
        for found in classes(engine)
        for finding in queries.findings(engine, found.id, "watermark")
    }
    assert set(marks) == {MARKED}
    mark = marks[MARKED]
    assert mark.is_note, "all photos of the class bear it, so that no error goes with it"
    run = queries.latest_run(engine).id
    assert mark.id not in {one.id for one in queries.run_findings(engine, run)}
    assert (mark.figures["colour"], mark.figures["place"]) == ("magenta", "top left")
    assert mark.figures["share"] >= 0.9 and mark.figures["share_elsewhere"] == 0
    assert 0 < mark.figures["relevance"] < 1 and mark.figures["p"] < 0.001


def test_words_are_counted_by_image(engine: Engine) -> None:
    checked = 0
    images = [image for found in classes(engine) for image in queries.images(engine, found.id)]
    held = {
        image.id: phrases(
            region.caption or ""
            for region in queries.regions(engine, image.id)
            if region.role == "true"
        )
        for image in images
    }
    for found in classes(engine):
        errors = [i for i in images if i.class_id == found.id and i.correct is False]
        rivals = [c.predicted_class_id for c in queries.confusions(engine, found.id)]
        for against in (None, *rivals):
            # The two groups that are compared.
            wrong = [i for i in errors if against in (None, i.predicted_class_id)]
            right = [i for i in images if i.class_id == (against or found.id) and i.correct]
            for word in queries.error_words(engine, found.id, against):
                assert word.correct == sum(word.word in held[image.id] for image in right)
                assert word.wrong == sum(word.word in held[image.id] for image in wrong)
                assert word.images == word.correct + word.wrong
                if word.b2t_low is not None:
                    assert word.b2t is not None and word.b2t_high is not None
                    assert word.b2t_low <= word.b2t <= word.b2t_high
                assert word.q is not None and 0 <= word.q <= 1
                checked += 1
    assert checked > 10


def stored(path: Path) -> list[object]:
    engine = open_read(path)
    return [
        (
            queries.class_audit(engine, found.id),
            [
                (f.kind, f.title, f.score, f.figures, f.details)
                for f in queries.findings(engine, found.id)
            ],
            queries.error_words(engine, found.id),
        )
        for found in classes(engine)
    ]


def rounded(rows: object) -> str:
    """The rows in words, their numbers with four decimals."""
    return re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda m: f"{float(m[0]):.4f}", repr(rows))


def test_what_is_missing_is_audited_again_to_the_same_result(
    audited: Path, marked_photos: Path, tmp_path: Path
) -> None:
    path = tmp_path / "again.db"
    shutil.copy(audited, path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM class_audit WHERE class_id = 2")
        connection.execute("DELETE FROM finding WHERE class_id = 2")
    engine = open_read(path)
    run_id = queries.latest_run(engine).id
    assert queries.pending_audit(engine, run_id) == [2]
    index(marked_photos, path)
    assert queries.pending_audit(engine, run_id) == []
    # Texts are embedded in other batches, which moves the last digits of a cosine.
    assert rounded(stored(path)) == rounded(stored(audited))
    assert len(stored(path)) == len(CLASSES)


def test_an_audit_of_an_older_mapcap_is_made_again(
    audited: Path, marked_photos: Path, tmp_path: Path
) -> None:
    path = tmp_path / "older.db"
    shutil.copy(audited, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE class_audit SET audit_version = 0 WHERE class_id < 3")
        connection.execute("UPDATE finding SET details = '[]', plain = '' WHERE class_id < 3")
    engine = open_read(path)
    run_id = queries.latest_run(engine).id
    assert queries.pending_audit(engine, run_id, AUDIT_VERSION) == [1, 2]
    index(marked_photos, path)
    assert queries.pending_audit(engine, run_id, AUDIT_VERSION) == []
    assert stored(path) == stored(audited)
