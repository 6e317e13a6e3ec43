"""The work of `mapcap index`: load the networks, then run the stages into the store."""

import os
import platform
import socket
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from db import queries, writes
from db.engine import finish, open_write
from db.queries.unfinished import unreadable_images
from db.records import RunStatus
from db.rows import NewClass, RunSpec
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset
from mapcap.logs import Logged, note_unreadable
from mapcap.networks.clip import Clip
from mapcap.networks.devices import pick_device
from mapcap.networks.loading import load_networks
from mapcap.networks.quiet import to_the_log
from mapcap.pipeline import Stopped, run_stages
from mapcap.progress import Bars
from mapcap.show import class_table, listed, show
from mapcap.stages.base import Job
from mapcap.standing import PROCESS
from mapcap.stopping import stop_on_signals

_VERSIONS = ("mapcap", "torch", "open_clip_torch", "transformers", "numpy")


def fill(
    config: IndexConfig,
    dataset: Dataset,
    db: Path,
    *,
    device: str,
    batch_size: int,
    console: Console,
) -> RunStatus:
    """Fill a file with a run, or go on with it; return how it ended: done or interrupted.

    Raises:
        UserError, StoreError: for networks or a file that cannot be used, before any work.
    """
    place = pick_device(device)
    with console.status("loading the networks"):
        networks = load_networks(config, place)
    engine = open_write(db)
    run_id = writes.start_run(engine, _spec(config, networks.clip))
    if not networks.language_model.packed:
        slower = (
            f"--lm {config.lm} does not read sentences packed in rows: every pair is scored for "
            "itself, which is right and slower."
        )
        console.print(slower, style="yellow", markup=False, highlight=False)
        writes.add_note(engine, run_id, slower)
    new = [NewClass(i, found.name, found.label) for i, found in enumerate(dataset.classes)]
    job = Job(
        config=config,
        dataset=dataset,
        networks=networks,
        engine=engine,
        run_id=run_id,
        class_ids=tuple(writes.add_classes(engine, run_id, new)),
        paths={item.relative: item.path for item in dataset.items},
        batch_size=batch_size,
    )
    status: RunStatus = "failed"
    try:
        with (
            to_the_log(),
            stop_on_signals(lambda: _announce(console)) as stopping,
            Bars(console) as bars,
        ):
            run_stages(job, Logged(bars), stopping)
        status = "done"
    except (Stopped, KeyboardInterrupt):
        status = "interrupted"
        # Otherwise written when their stage ends: what is there is to be seen.
        writes.aggregate_accuracy(engine, run_id)
    finally:
        writes.set_status(engine, run_id, status)
        unreadable = unreadable_images(engine, run_id)
        note_unreadable(unreadable)
        if status == "done":
            show(console, class_table(queries.classes(engine, run_id, sort="accuracy")))
        if unreadable:
            names = [f"{path} ({error})" for path, error in unreadable]
            console.print(
                listed("could not be read", names), style="yellow", markup=False, highlight=False
            )
        finish(engine)
    return status


def _spec(config: IndexConfig, clip: Clip) -> RunSpec:
    model = config.model if config.pretrained is None else f"{config.model}/{config.pretrained}"
    return RunSpec(
        config_hash=config.hash,
        config=asdict(config),
        preset=config.preset,
        dataset=config.photos,
        networks={"model": model, "captioner": config.captioner, "lm": config.lm}
        | {"resize_mode": clip.model.visual.preprocess_cfg.get("resize_mode") or "shortest"},
        versions={name: version(name) for name in _VERSIONS}
        | {"python": platform.python_version(), PROCESS: str(os.getpid())},
        host=socket.gethostname(),
        device=str(clip.device),
    )


def _announce(console: Console) -> None:
    console.print("stopping after this batch; Ctrl-C again to stop at once", style="yellow")
