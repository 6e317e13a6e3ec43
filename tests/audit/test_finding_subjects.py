"""A finding is the same one in the next audit, whatever its counts: so a verdict stays on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from db import queries, writes
from db.engine import open_write
from db.rows import NewAudit, NewFinding
from db.verdicts import (
    Verdict,
    name_of_finding,
    read_verdicts,
    remove_verdicts,
    verdict_on_finding,
    write_verdicts,
)
from mapcap.audit.class_audit import audit_class
from mapcap.audit.findings import Finding
from mapcap.audit.kinds.watermark import Watermark, watermarks
from mapcap.audit.material import Material
from tests.audit.test_audit_findings import CRANE, LYNX, ME, half_wrong, material
from tests.stores import Photo, write_run

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def more_wrong() -> Material:
    """As `half_wrong`, of a class that has grown."""
    predicted = [ME] * 22 + [LYNX] * 19 + [CRANE] * 5
    captions = ["a spotless cat."] * 22 + ["a furry cat."] * 19 + ["a spotless cat."] * 5
    return material(predicted, captions)


def by_subject(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    return {(each.kind, each.subject): each.title for each in findings if each.subject}


def test_the_subject_stays_where_the_counts_change() -> None:
    first, then = (by_subject(audit_class(each()).findings) for each in (half_wrong, more_wrong))
    shared = first.keys() & then.keys()
    assert {
        ("confusion", "as lynx"),
        ("confusion", "from crane"),
        ("word", "furry"),
    } <= shared
    changed = {key for key in shared if first[key] != then[key]}
    assert {("confusion", "as lynx"), ("word", "furry")} <= changed
    assert not any(character.isdigit() for _, subject in shared for character in subject)


def test_a_subject_belongs_to_one_finding_of_its_kind() -> None:
    for made in (half_wrong(), more_wrong()):
        findings = [each for each in audit_class(made).findings if each.subject]
        assert len(by_subject(findings)) == len(findings) > 2


def test_a_watermark_goes_by_its_colour_and_its_place() -> None:
    made = half_wrong()
    mask = np.zeros(made.images.pictures.shape[1:3], bool)
    mask[:4, :4] = True

    def found(count: int) -> Finding:
        having = np.arange(len(made.images)) < count
        mark = Watermark(mask, (0.0, 0.0, 0.1, 0.1), "lime", having, count / 40, 0.0, 1e-9)
        (finding,) = watermarks(made, mark)
        return finding

    assert found(30).title != found(35).title
    assert found(30).subject == found(35).subject == "lime at the top left"


@pytest.fixture
def audited(tmp_path: Path) -> Any:
    """A run of one class, and a function that stores an audit of it and reads its finding."""
    photos = [Photo(path=f"{i}.jpg") for i in range(6)]
    run = write_run(open_write(tmp_path / "store.db"), {"tabby": photos}, labels=["n00"])

    def audit(finding: NewFinding) -> Any:
        writes.add_audit(run.engine, NewAudit(run.ids[0], "tabby: …", [], {}, [], [finding]))
        (stored,) = queries.findings(run.engine, run.ids[0])
        return stored

    yield run, audit
    run.engine.dispose()


def test_without_a_subject_the_photos_are_it(audited: Any) -> None:
    run, audit = audited
    ids = list(run.images.values())
    first = audit(NewFinding("label", "2 of 6 are possible label errors", 2, {}, ids[:2]))
    again = audit(NewFinding("label", "2 of 9 are possible label errors", 2, {}, ids[1::-1]))
    other = audit(NewFinding("label", "2 of 9 are possible label errors", 2, {}, ids[2:4]))
    assert first.subject == again.subject != other.subject
    assert first.subject.startswith("images ")
    assert audit(NewFinding("label", "none", 0, {})).subject == ""


def test_a_dismissed_finding_stays_dismissed_in_an_audit_with_other_counts(
    audited: Any, tmp_path: Path
) -> None:
    _, audit = audited
    file = tmp_path / "v.sqlite"

    def verdict(finding: Any) -> Verdict | None:
        name = name_of_finding("n00", finding.kind, finding.subject, finding.title)
        return verdict_on_finding(read_verdicts(file, "hash-1"), name)

    first = audit(NewFinding("confusion", "7 of 8 are predicted as lion", 5, {}, subject="as lion"))
    name = name_of_finding("n00", first.kind, first.subject, first.title)
    write_verdicts(
        file,
        Verdict("hash-1", "finding", name.key, "noise", "seen", WHEN, title=name.title),
    )
    again = audit(
        NewFinding("confusion", "9 of 12 are predicted as lion", 6, {}, subject="as lion")
    )
    kept = verdict(again)
    assert kept is not None
    assert (kept.mark, kept.shown) == ("noise", "n00: 7 of 8 are predicted as lion")
    other = audit(NewFinding("confusion", "7 of 8 are predicted as bee", 5, {}, subject="as bee"))
    assert verdict(other) is None


def test_a_verdict_of_an_older_file_is_known_by_the_title(audited: Any, tmp_path: Path) -> None:
    run, audit = audited
    file, title = tmp_path / "v.sqlite", "7 of 8 are predicted as lion"
    write_verdicts(file, Verdict("hash-1", "finding", f"n00: {title}", "noise", "", WHEN))
    finding = audit(NewFinding("confusion", title, 5, {}, subject="as lion"))
    name = name_of_finding("n00", finding.kind, finding.subject, finding.title)
    old = verdict_on_finding(read_verdicts(file, "hash-1"), name)
    assert old is not None and old.mark == "noise"
    # A new verdict takes its place: taken back, the old one does not return.
    write_verdicts(file, replace(old, name=name.key, mark="true", title=name.title))
    (only,) = read_verdicts(file, "hash-1").values()
    assert (only.name, only.mark) == ("n00: confusion: as lion", "true")
    remove_verdicts(file, "hash-1", "finding", *name)
    assert read_verdicts(file, "hash-1") == {}
    # Of a finding that an older audit left, the title is all there is.
    with run.engine.begin() as connection:
        connection.execute(text("UPDATE finding SET subject = ''"))
    (left,) = queries.findings(run.engine, run.ids[0])
    assert name_of_finding("n00", left.kind, left.subject, left.title).key == f"n00: {title}"
