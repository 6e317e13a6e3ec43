from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from db import queries, writes
from db.errors import StoreError
from db.queries.lease import lease
from db.records import Lease
from db.rows import NewClass, RunSpec, Spent


def test_the_same_hash_goes_on_with_the_same_run(engine: Engine, spec: RunSpec) -> None:
    first = writes.start_run(engine, spec)
    writes.add_note(engine, first, "something a reader must know")
    writes.add_note(engine, first, "something a reader must know")
    writes.set_status(engine, first, "interrupted")
    before = queries.run(engine, first)
    assert before.status == "interrupted"
    assert before.finished is not None
    assert writes.start_run(engine, replace(spec, host="other")) == first
    after = queries.run(engine, first)
    assert (after.status, after.finished, after.host) == ("running", None, "other")
    assert after.started == before.started
    assert after.notes == ["something a reader must know"]
    other = writes.start_run(engine, replace(spec, config_hash="hash-2"))
    assert other != first
    assert queries.latest_run(engine).id == other


def test_a_run_comes_back_as_it_was_given(engine: Engine, spec: RunSpec) -> None:
    run = queries.run(engine, writes.start_run(engine, spec))
    for name in ("config_hash", "preset", "dataset", "host", "device"):
        assert getattr(run, name) == getattr(spec, name)
    assert (run.config, run.networks, run.versions) == (spec.config, spec.networks, spec.versions)
    assert run.started.tzinfo is not None


def test_stages_add_up_over_sessions(engine: Engine, spec: RunSpec) -> None:
    run_id = writes.start_run(engine, spec)
    writes.begin_stage(engine, run_id, "zero-shot", position=1, total=100, done=0)
    writes.begin_stage(engine, run_id, "scan", position=0, total=5, done=5)
    writes.progress_stage(engine, run_id, "zero-shot", items=40, spent=Spent(0.5, 1.25, 0.25))
    # Killed here; 10 items of a batch were stored without being reported.
    writes.begin_stage(engine, run_id, "zero-shot", position=1, total=100, done=50)
    writes.progress_stage(engine, run_id, "zero-shot", items=40, spent=Spent(computing=2.0))
    scan, zero_shot = queries.stages(engine, run_id)
    assert (scan.name, scan.items_per_second, scan.done) == ("scan", None, 5)
    assert (zero_shot.done, zero_shot.total, zero_shot.seconds) == (90, 100, 4.0)
    assert zero_shot.items_per_second == 20.0
    assert (zero_shot.reading, zero_shot.computing, zero_shot.writing) == (0.5, 3.25, 0.25)
    assert zero_shot.status == "running"
    writes.finish_stage(engine, run_id, "zero-shot")
    done = queries.stages(engine, run_id)[1]
    assert (done.done, done.status) == (100, "done")


def test_classes_keep_the_order_given_and_refuse_others(engine: Engine, spec: RunSpec) -> None:
    run_id = writes.start_run(engine, spec)
    new = [NewClass(1, "crane", "bird"), NewClass(0, "crane", "machine")]
    ids = writes.add_classes(engine, run_id, new)
    assert writes.add_classes(engine, run_id, new) == ids
    assert writes.add_classes(engine, run_id, new[::-1]) == ids[::-1]
    assert [found.label for found in queries.classes(engine, run_id)] == ["machine", "bird"]
    with pytest.raises(StoreError, match="other classes"):
        writes.add_classes(engine, run_id, [*new, NewClass(2, "heron", "other")])
    assert len(queries.classes(engine, run_id)) == 2


def test_a_lease_is_one_jobs_until_it_is_dead(engine: Engine) -> None:
    first = Lease("here", 7, *[datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)] * 2)
    second = Lease("there", 8, *[first.started + timedelta(minutes=1)] * 2)
    assert writes.take_lease(engine, first, lambda _: False) is None
    assert writes.take_lease(engine, second, lambda _: False) == first
    assert writes.renew_lease(engine, first)
    held = lease(engine)
    assert held is not None and held == replace(first, renewed=held.renewed)
    assert held.renewed > first.renewed
    assert writes.take_lease(engine, second, lambda other: other == held) is None
    assert not writes.renew_lease(engine, first)
    writes.release_lease(engine, first)
    assert lease(engine) == second
    writes.release_lease(engine, second)
    assert lease(engine) is None
