"""`mapcap index`: check everything, load the networks, then run the stages into a file."""

import platform
import socket
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console

from db import queries, writes
from db.batches import NewClass, RunSpec
from db.engine import finish, open_write
from db.records import RunStatus
from db.text import clean
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, scan
from mapcap.errors import UserError
from mapcap.networks.captioners import load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.devices import pick_device
from mapcap.networks.language_models import load_language_model
from mapcap.pipeline import Stopped, run_stages
from mapcap.progress import Bars
from mapcap.show import class_table
from mapcap.stages.base import Job, Networks
from mapcap.stopping import stop_on_signals
from mapcap.towers import vision_tower
from mapcap.zero_shot import DEFAULT_TEMPLATES, openai_templates

_VERSIONS = ("mapcap", "torch", "open_clip_torch", "transformers", "numpy")


def templates_of(given: Sequence[str] | None, named: str | None) -> tuple[str, ...]:
    """Return the prompt templates that the two options ask for.

    Raises:
        UserError: if both are given, or the name is unknown.
    """
    if named is None:
        return tuple(given) if given else DEFAULT_TEMPLATES
    if given:
        raise UserError("--template and --templates: give one of them.")
    if named != "openai":
        raise UserError(f"--templates {named}: the only named set is openai.")
    return openai_templates()


def index_photos(
    config: IndexConfig, db: Path, *, device: str, batch_size: int, console: Console
) -> bool:
    """Fill a file with a run, or go on with it; False if the user stopped it.

    Raises:
        UserError, StoreError: for options, photos or a file that cannot be used, before any work.
    """
    if batch_size < 1:
        raise UserError(f"--batch-size {batch_size}: a batch has at least one image.")
    dataset = scan(
        config.photos,
        names=config.names,
        boxes=config.boxes,
        limit_per_class=config.limit_per_class,
    )
    console.print(_found(dataset), highlight=False, markup=False, soft_wrap=True)
    place = pick_device(device)
    with console.status("loading the networks"):
        networks = load_networks(config, place)
    engine = open_write(db)
    run_id = writes.start_run(engine, _spec(config, networks.clip))
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
        with stop_on_signals(lambda: _announce(console)) as stopping, Bars(console) as bars:
            run_stages(job, bars, stopping)
        status = "done"
    except (Stopped, KeyboardInterrupt):
        status = "interrupted"
    finally:
        writes.set_status(engine, run_id, status)
        if status == "done":
            found = queries.classes(engine, run_id, sort="accuracy")
            console.print(class_table(found))
        finish(engine)
    _farewell(console, db, stopped=status == "interrupted")
    return status == "done"


def load_networks(config: IndexConfig, device: torch.device) -> Networks:
    """Load the three networks of a configuration onto a device.

    Raises:
        UserError: for a network that cannot be loaded, or a vision tower without relevance maps.
    """
    clip = load_clip(config.model, config.pretrained, device=device)
    vision_tower(clip.model.visual)
    language_model = load_language_model(config.lm, device=device)
    captioner = load_captioner(config.captioner, language_model=language_model, device=device)
    return Networks(clip, captioner, language_model)


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
        | {"python": platform.python_version()},
        host=socket.gethostname(),
        device=str(clip.device),
    )


def _found(dataset: Dataset) -> str:
    skipped = f" ({dataset.skipped:,} other files passed over)" if dataset.skipped else ""
    return (
        f"{clean(dataset.source)}: {len(dataset.items):,} images of "
        f"{len(dataset.classes):,} classes{skipped}"
    )


def _announce(console: Console) -> None:
    console.print("stopping after this batch; Ctrl-C again to stop at once", style="yellow")


def _farewell(console: Console, db: Path, *, stopped: bool) -> None:
    name = clean(str(db))
    text = (
        f"stopped; all finished batches are in {name}. The same command goes on from there."
        if stopped
        else f"{name} is filled. Next: mapcap show {name} CLASS"
    )
    console.print(text, highlight=False, markup=False, soft_wrap=True)
