"""Runs, their stages and their classes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select, update

from db.engine import writing
from db.errors import StoreError
from db.records import RunStatus
from db.rows import NewClass, NewClassText, RunSpec, Spent
from db.schema import ClassName, ClassText, Run, Stage
from db.sql import merge, row_of, upsert


def start_run(store: Engine | Connection, spec: RunSpec) -> int:
    """Begin a run, or go on with the one of the same `config_hash`; return its id."""
    row = {
        "config_hash": spec.config_hash,
        "config": dict(spec.config),
        "preset": spec.preset,
        "dataset": spec.dataset,
        "networks": dict(spec.networks),
        "versions": dict(spec.versions),
        "host": spec.host,
        "device": spec.device,
        "started": datetime.now(UTC),
        "finished": None,
        "status": "running",
        "notes": [],
    }
    # A run that goes on keeps when it began and what was noted.
    changed = ("versions", "host", "device", "finished", "status")
    with writing(store) as connection:
        statement = merge(Run, ["config_hash"], changed).returning(Run.id)
        return int(connection.execute(statement, row).scalar_one())


def set_status(engine: Engine, run_id: int, status: RunStatus) -> None:
    """Say how a run stands; any status but `running` also sets when it finished."""
    finished = None if status == "running" else datetime.now(UTC)
    with writing(engine) as connection:
        connection.execute(
            update(Run).where(Run.id == run_id).values(status=status, finished=finished)
        )


def add_note(engine: Engine, run_id: int, note: str) -> None:
    """Add a remark that a reader of the run must see; the same remark is kept once."""
    with writing(engine) as connection:
        notes = connection.execute(select(Run.notes).where(Run.id == run_id)).scalar_one()
        if note not in notes:
            connection.execute(update(Run).where(Run.id == run_id).values(notes=[*notes, note]))


def keep_stages(engine: Engine, run_id: int, names: Sequence[str]) -> None:
    """Forget what is noted of stages other than these, which an older MapCap had."""
    with writing(engine) as connection:
        connection.execute(delete(Stage).where(Stage.run_id == run_id, Stage.name.not_in(names)))


def begin_stage(
    engine: Engine, run_id: int, name: str, *, position: int, total: int, done: int, key: str = ""
) -> None:
    """Say that a stage runs, how many items it has, and how many of them are already stored.

    One that began with another `key` has none from then on.
    """
    row = {
        "run_id": run_id,
        "name": name,
        "position": position,
        "done": done,
        "total": total,
        "worked": 0,
        "seconds": 0.0,
        "status": "running",
        "inputs_hash": key,
    }
    with writing(engine) as connection:
        of_stage = Stage.run_id == run_id, Stage.name == name
        connection.execute(
            update(Stage).where(*of_stage, Stage.inputs_hash != key).values(inputs_hash="")
        )
        statement = merge(Stage, ["run_id", "name"], ("position", "done", "total", "status"))
        connection.execute(statement, row)


def progress_stage(engine: Engine, run_id: int, name: str, *, items: int, spent: Spent) -> None:
    """Add a batch's items and the seconds that were spent on it to a stage."""
    with writing(engine) as connection:
        connection.execute(
            update(Stage)
            .where(Stage.run_id == run_id, Stage.name == name)
            .values(
                done=Stage.done + items,
                worked=Stage.worked + items,
                seconds=Stage.seconds + spent.total,
                reading=Stage.reading + spent.reading,
                computing=Stage.computing + spent.computing,
                writing=Stage.writing + spent.writing,
            )
        )


def finish_stage(engine: Engine, run_id: int, name: str) -> None:
    """Say that nothing is left to do in a stage."""
    with writing(engine) as connection:
        connection.execute(
            update(Stage)
            .where(Stage.run_id == run_id, Stage.name == name)
            .values(done=Stage.total, status="done")
        )


def add_classes(store: Engine | Connection, run_id: int, classes: Sequence[NewClass]) -> list[int]:
    """Store the classes of a run and return their ids in the order given.

    StoreError if the run has other classes already: its figures would be given to wrong names.
    """
    wanted = {(new.position, new.name, new.label) for new in classes}
    with writing(store) as connection:
        find = select(ClassName.id, ClassName.position, ClassName.name, ClassName.label).where(
            ClassName.run_id == run_id
        )
        stored = connection.execute(find).all()
        if not stored:
            rows = [{"run_id": run_id, **row_of(new)} for new in classes]
            upsert(connection, ClassName, ["run_id", "position"], rows)
            stored = connection.execute(find).all()
        elif wanted != {(row.position, row.name, row.label) for row in stored}:
            raise StoreError(
                f"run {run_id} has other classes than the photos have now: "
                "index them into a new file"
            )
    ids = {row.position: row.id for row in stored}
    return [ids[new.position] for new in classes]


def set_class_texts(engine: Engine, texts: Sequence[NewClassText]) -> None:
    """Store the text embeddings and token relevances of classes."""
    rows = [
        {
            "class_id": new.class_id,
            "embedding": new.embedding,
            "tokens": [[token, float(score)] for token, score in new.tokens],
        }
        for new in texts
    ]
    with writing(engine) as connection:
        upsert(connection, ClassText, ["class_id"], rows)
