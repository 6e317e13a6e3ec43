"""`mapcap index`: look at the photos and the file, then load what the work needs and begin it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from sqlalchemy import Engine

from db import queries
from db.engine import check_place
from db.records import Run
from mapcap.audit.kinds import AUDIT_VERSION
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset
from mapcap.errors import UserError
from mapcap.indexing.batch_size import check_batch_size
from mapcap.indexing.changes import compare
from mapcap.indexing.lease import check_free
from mapcap.indexing.logs import logging_to, say
from mapcap.indexing.peeking import peek
from mapcap.indexing.ray_options import RayOptions
from mapcap.predictions import digest, match_head, read_predictions, scan_photos
from mapcap.printing.pages import listed
from mapcap.text import counted

_NAMED = 6
"""Classes that are named before work begins."""


def templates_of(given: Sequence[str] | None, named: str | None) -> tuple[str, ...]:
    """Return the prompt templates that the two options ask for.

    Raises:
        UserError: if both are given, or the name is unknown.
    """
    if named is None:
        return tuple(given) if given else IndexConfig.templates
    if given:
        raise UserError("--template and --templates: give one of them.")
    if named != "openai":
        raise UserError(f"--templates {named}: the only named set is openai.")
    from mapcap.zero_shot import openai_templates

    return openai_templates()


def index_photos(
    config: IndexConfig,
    db: Path,
    *,
    device: str,
    dtype: str,
    batch_size: int | None,
    console: Console,
    log: Path | None = None,
    spread: RayOptions | None = None,
) -> tuple[int, bool]:
    """Fill a file with a run, or go on with it; return its id, and False if the user stopped it.

    With `log`, what happens is also written to that file, line by line; `spread` is for
    `--engine ray`.

    Raises:
        UserError, StoreError: for options, photos or a file that cannot be used, before any work.
    """
    check_batch_size(batch_size)
    with logging_to(log):
        # Before torch is loaded, and networks fetched.
        check_place(db)
        check_free(db)
        config, dataset = look(config, console)
        finished = _finished(config, db, dataset)
        if finished is not None:
            say(
                console,
                f"{db} holds this already: run {finished.id}, with nothing left to do. "
                f"Next: mapcap browse {db}",
            )
            return finished.id, True
        # Torch takes seconds to load: not before the first line is there, and not unsaid.
        with console.status("loading torch"):
            from mapcap.indexing.filling import fill

        run_id, status = fill(
            config,
            dataset,
            db,
            device=device,
            dtype=dtype,
            batch_size=batch_size,
            console=console,
            spread=spread,
        )
        stopped = status == "interrupted"
        say(
            console,
            f"stopped; all finished batches are in {db}. The same command goes on from there."
            if stopped
            else f"{db} is filled. Next: mapcap show {db} CLASS",
        )
    return run_id, not stopped


def look(config: IndexConfig, console: Console) -> tuple[IndexConfig, Dataset]:
    """Find the photos of a run and read where its predictions come from, and say what there is.

    Raises:
        UserError: for photos or predictions that cannot be used.
    """
    with console.status("looking for the photos"):
        dataset, labels = scan_photos(config)
    config = replace(config, unlabelled=labels == "none")
    before = photo_lines(dataset) if labels == "folders" else []
    config, dataset, lines = _with_source(config, dataset)
    after = [] if labels == "folders" else photo_lines(dataset, labelled=labels == "table")
    for line, style in (*before, *lines, *after):
        say(console, line, style)
    return config, dataset


def _with_source(
    config: IndexConfig, dataset: Dataset
) -> tuple[IndexConfig, Dataset, Sequence[tuple[str, str | None]]]:
    """Read where predictions come from, but for the CLIP; and return what to say of it."""
    if not config.sources:
        return config, dataset, ()
    config = replace(config, predictions_digest=digest(config))
    if config.classifier is not None:
        # Torch, and the library that the network is of, take seconds to load.
        from mapcap.indexing.run_head import match_classifier

        return config, *match_classifier(config, dataset)
    read = match_head if config.predictions is None else read_predictions
    return config, *read(config, dataset)


def photo_lines(dataset: Dataset, *, labelled: bool = True) -> list[tuple[str, str | None]]:
    """Return what to say of the photos, each line with its style; `labelled`: of their accuracy."""
    images = counted(len(dataset.items), "image")
    counts = Counter(item.class_index for item in dataset.items)
    # Not of the classes that are only predicted, which come after the photos'.
    classes = len(counts) or len(dataset.classes)
    names = [f"{each.label} {counts[at]:,}" for at, each in enumerate(dataset.classes[:classes])]
    more = f" and {classes - _NAMED:,} more" if classes > _NAMED else ""
    line = f"{dataset.source}: {images} of {counted(classes, 'class')}"
    lines: list[tuple[str, str | None]] = [(f"{line}: {', '.join(names[:_NAMED])}{more}", None)]
    lines += [(note, None) for note in dataset.notes]
    if dataset.passed:
        reasons = [f"{count:,} {reason}" for reason, count in dataset.passed.items()]
        lines.append((f"passed over: {', '.join(reasons)}", None))
    if dataset.empty:
        lines.append((listed("folders without images left out", dataset.empty), "yellow"))
    if classes == 1 and labelled:
        lines.append(
            (
                "with a single class every image is predicted as that class, so accuracy says "
                "nothing: add the classes that it could be confused with",
                "yellow",
            )
        )
    return lines


def _finished(config: IndexConfig, db: Path, dataset: Dataset) -> Run | None:
    """Return the run of this configuration if the file has it and it lacks nothing."""
    with peek(db) as engine:
        run = None if engine is None else queries.run_of(engine, config.hash)
        if engine is None or run is None or not _is_complete(engine, run, config, dataset):
            return None
        return run


def _is_complete(engine: Engine, run: Run, config: IndexConfig, dataset: Dataset) -> bool:
    """Tell whether a run is done, with these photos and by this MapCap: others have more stages."""
    if run.status != "done" or run.versions.get("mapcap") != version("mapcap"):
        return False
    classes = queries.classes(engine, run.id)
    if [(each.label, each.name) for each in classes] != [
        (each.label, each.name) for each in dataset.classes
    ]:
        return False
    stored = queries.stored_images(engine, run.id, config.representation)
    return (
        compare(dataset.items, stored, [each.id for each in classes]).none
        and all(stage.status == "done" for stage in queries.stages(engine, run.id))
        and not queries.pending_audit(engine, run.id, AUDIT_VERSION)
    )
