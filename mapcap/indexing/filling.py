"""The work of `mapcap index`: load the networks, then run the stages into the store."""

import os
import platform
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from sqlalchemy import Engine

from db import queries, writes
from db.engine import finish, open_write, writing
from db.queries.unfinished import count_boxes_outside, unreadable_images
from db.records import RunStatus, StoredImage
from db.rows import NewClass, RunSpec
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset
from mapcap.indexing.changes import Changes, compare
from mapcap.indexing.digests import check_digests, digests
from mapcap.indexing.lease import Hold, holding
from mapcap.indexing.local_engine import Compute, compute_here
from mapcap.indexing.logs import Logged, note_unreadable, say
from mapcap.indexing.pipeline import run_stages
from mapcap.indexing.progress import Stopped
from mapcap.indexing.ray_options import RayOptions
from mapcap.indexing.run_head import check_head
from mapcap.indexing.stage_keys import stage_keys
from mapcap.indexing.stages.base import Job
from mapcap.indexing.stopping import stop_on_signals
from mapcap.networks.devices import name_of, pick_device, pick_dtype
from mapcap.networks.loading import Networks, load_networks
from mapcap.networks.quiet import to_the_log
from mapcap.printing.pages import class_table, listed, show
from mapcap.printing.progress import Bars
from mapcap.runs.standing import PROCESS
from mapcap.text import clean, counted

DIGESTS = "digests"
"""What a run stores of its weights, beside their names."""
_VERSIONS = ("mapcap", "torch", "open_clip_torch", "transformers", "numpy")


def fill(
    config: IndexConfig,
    dataset: Dataset,
    db: Path,
    *,
    device: str,
    dtype: str,
    batch_size: int | None,
    console: Console,
    spread: RayOptions | None = None,
) -> tuple[int, RunStatus]:
    """Fill a file with a run, or go on with it; return its id and how it ended.

    `spread` is how Ray is to spread it; None: this process computes.

    Raises:
        UserError, StoreError: for networks or a file that cannot be used, before any work.
    """
    with _computing(spread, device, dtype) as (compute, place, described):
        half = pick_dtype(dtype, place)
        check_head(config)
        with console.status("loading the networks"):
            networks = load_networks(config, place, half)
        described += "" if half is None else f", {name_of(half)}"
        engine = open_write(db)
        try:
            with holding(engine, db) as hold:
                job = begin_job(config, dataset, networks, engine, batch_size, described)
                return job.run_id, _run(job, compute, hold, console)
        finally:
            finish(engine)


@contextmanager
def _computing(
    spread: RayOptions | None, device: str, dtype: str
) -> Iterator[tuple[Compute, torch.device, str]]:
    """Yield what computes, where the networks of this process are to be, and what to call it."""
    if spread is None:
        place = pick_device(device)
        yield compute_here, place, str(place)
        return
    from mapcap.indexing.ray_engine import joined  # needs the extra `ray`

    with joined(spread, device, dtype) as cluster:
        # What is left to this process are texts: no GPU is taken from the actors for them.
        yield cluster, torch.device("cpu"), cluster.describe()


def _run(job: Job, compute: Compute, hold: Hold, console: Console) -> RunStatus:
    """Run the stages of a job, and return how that ended."""
    _warn(job, console)
    status: RunStatus = "failed"
    try:
        with (
            to_the_log(),
            stop_on_signals(lambda: _announce(console)) as asked,
            Bars(console) as bars,
        ):

            def stopping() -> bool:
                hold.check()
                return asked()

            run_stages(job, Logged(bars), stopping, compute)
        status = "done"
    except (Stopped, KeyboardInterrupt):
        status = "interrupted"
        # Otherwise written when their stage ends: what is there is to be seen.
        writes.aggregate_accuracy(job.engine, job.run_id)
    finally:
        if not hold.lost.is_set():  # else the run is another job's
            _end(job, status, console)
    return status


def _warn(job: Job, console: Console) -> None:
    """Say what changed since the run was left, and what about it is slower than usual."""
    config = job.config
    line = job.changes.describe()
    if line:
        say(console, line)
    if not job.networks.language_model.packed:
        slower = (
            f"--lm {config.lm} does not read sentences packed in rows: every pair is scored for "
            "itself, which is right and slower."
        )
        say(console, slower, "yellow")
        writes.add_note(job.engine, job.run_id, slower)


def _end(job: Job, status: RunStatus, console: Console) -> None:
    """Note how a run ended, and print what came of it."""
    engine, run_id = job.engine, job.run_id
    writes.set_status(engine, run_id, status)
    unreadable = unreadable_images(engine, run_id)
    note_unreadable(unreadable)
    if status == "done":
        show(console, class_table(queries.classes(engine, run_id, sort="accuracy")))
    outside = count_boxes_outside(engine, run_id)
    if outside:
        say(
            console,
            f"{counted(outside, 'box', 'boxes')} reach beyond the photo: are they corners in "
            "pixels of the upright photo? See --box-format and --box-units.",
            "yellow",
        )
    if unreadable:
        names = [f"{path} ({error})" for path, error in unreadable]
        reasons = Counter(error.partition(":")[0] for _, error in unreadable).most_common(3)
        why = ", ".join(f"{count:,} {clean(reason)}" for reason, count in reasons)
        file = clean(str(engine.url.database))
        for line in (
            listed("could not be read", names),
            f"of {len(job.dataset.items):,} photos; why: {why}. All of them: mapcap export {file} "
            "--table images, column error",
        ):
            console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


def begin_job(
    config: IndexConfig,
    dataset: Dataset,
    networks: Networks,
    engine: Engine,
    batch_size: int | None,
    device: str,
) -> Job:
    """Begin a run or take it up, and drop from the store what is no more.

    A run that is refused, by its weights or its classes, leaves the file as it was.
    """
    new = [
        NewClass(i, class_label.name, class_label.label)
        for i, class_label in enumerate(dataset.classes)
    ]
    weights = digests(config)
    run = queries.run_of(engine, config.hash)
    if run is not None:
        check_digests(config, run.networks.get(DIGESTS) or {}, weights)
    with writing(engine) as transaction:
        run_id = writes.start_run(transaction, _spec(config, networks, weights, device))
        class_ids = writes.add_classes(transaction, run_id, new)
    stored = queries.stored_images(engine, run_id, config.representation)
    changes = compare(dataset.items, stored, class_ids)
    with writing(engine) as transaction:
        if stored and not changes.none:
            writes.outdate(transaction, run_id, _classes_of(changes, stored, class_ids))
        writes.remove_images(transaction, [image.id for image in changes.gone])
        writes.set_boxes(transaction, changes.boxes)
    return Job(
        config=config,
        dataset=dataset,
        networks=networks,
        engine=engine,
        run_id=run_id,
        class_ids=tuple(class_ids),
        paths={item.relative: item.path for item in dataset.items},
        weights=weights,
        keys=stage_keys(config, dataset.classes, weights, networks.half),
        batch_size=batch_size,
        changes=changes,
        stored=stored,
    )


def _classes_of(
    changes: Changes, stored: Mapping[str, StoredImage], class_ids: Sequence[int]
) -> set[int]:
    """Return the ids of the classes that lose an image, or whose images are read again."""
    again = (*changes.changed, *changes.relabelled, *changes.retried)
    return {
        *(image.class_id for image in changes.gone),
        *(class_ids[item.class_index] for item in again),
        *(stored[item.relative].class_id for item in again),
    }


def _spec(
    config: IndexConfig, networks: Networks, weights: Mapping[str, str], device: str
) -> RunSpec:
    visual = networks.clip.model.visual
    model = config.model if config.pretrained is None else f"{config.model}/{config.pretrained}"
    return RunSpec(
        config_hash=config.hash,
        config=asdict(config),
        preset=config.preset,
        dataset=config.photos,
        networks={"model": model, "captioner": config.captioner, "lm": config.lm}
        | {"resize_mode": visual.preprocess_cfg.get("resize_mode") or "shortest"}
        | {DIGESTS: dict(weights)},
        versions={name: version(name) for name in _VERSIONS}
        | {"python": platform.python_version(), PROCESS: str(os.getpid())},
        host=socket.gethostname(),
        device=device,
    )


def _announce(console: Console) -> None:
    console.print("stopping after this batch; Ctrl-C again to stop at once", style="yellow")
