"""`mapcap evaluate --sample`: measuring images of a run again, and storing as it goes."""

from collections.abc import Callable, Mapping

import numpy as np
from sqlalchemy import Engine

from db import queries, writes
from db.queries import evidence
from db.records import Run
from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Place
from mapcap.evaluation.measuring import Measuring
from mapcap.evaluation.probing import Probe
from mapcap.evaluation.samples import draw_sample, measured_images, read_sampled
from mapcap.evaluation.storing import run_figure, store_correlations
from mapcap.indexing.progress import Progress, Stopped
from mapcap.indexing.run_head import head_of
from mapcap.networks.clip import Clip
from mapcap.predictions import scan_photos
from mapcap.zero_shot import class_weights

FEWEST_IMAGES = 3
"""Measured images of a class below which it has no figure of its own."""


def paths_of(config: IndexConfig) -> dict[str, Place]:
    """Return where the images of a run lie on this machine, by stored path.

    Raises:
        UserError: if the photos are not here.
    """
    dataset, _ = scan_photos(config)
    return {item.relative: item.path for item in dataset.items}


def measure_store(
    engine: Engine,
    run: Run,
    config: IndexConfig,
    clip: Clip,
    progress: Progress,
    stopping: Callable[[], bool],
) -> None:
    """Measure what needs no picture, where the stage `evaluation` has not.

    Raises:
        Stopped: if `stopping` said so; nothing is stored then.
    """
    measuring = Measuring(engine, run.id, config, clip)
    pending = measuring.pending()
    if not pending:
        return
    progress.begin("evaluation", "classes", 0, len(pending))
    for class_id in pending:
        if stopping():
            raise Stopped
        measuring.measure(measuring.read(class_id))
        progress.advance(1)
    measuring.store()
    progress.end()


def measure_sample(
    engine: Engine,
    run: Run,
    config: IndexConfig,
    clip: Clip,
    paths: Mapping[str, Place],
    count: int,
    *,
    batch_size: int,
    progress: Progress,
    stopping: Callable[[], bool],
) -> int:
    """Measure a sample of a run's images; return how many were gone or changed.

    Every batch is stored, so that the same call goes on after a stop; images that have been
    measured before are not measured again.

    Raises:
        Stopped: if `stopping` said so; the figures of the images until then are stored.
    """
    classes = queries.classes(engine, run.id)
    labels = [ClassLabel(record.label, record.name) for record in classes]
    names = [record.name for record in classes]
    texts = class_weights(clip.model, clip.tokenizer, names, config.templates)
    ids = [record.id for record in classes]
    probe = Probe(clip, head_of(config, clip, labels, texts), ids, config)
    sample = draw_sample(engine, run.id, count, config.seed)
    done = measured_images(queries.image_figures(engine, run.id))
    pending = [number for number in sample.ids if number not in done]
    progress.begin("sample", "images", len(sample.ids) - len(pending), len(sample.ids))
    lost = 0
    try:
        for start in range(0, len(pending), batch_size):
            if stopping():
                raise Stopped
            batch = pending[start : start + batch_size]
            sampled = read_sampled(engine, clip, paths, sample, batch)
            writes.add_image_figures(engine, probe.measure(sampled))
            lost += len(batch) - len(sampled.images)
            progress.advance(len(batch))
    finally:
        store_sample(engine, run.id, config.seed)
    progress.end()
    return lost


def store_sample(engine: Engine, run_id: int, seed: int) -> None:
    """Store the figures of a run and its classes from those of all its measured images."""
    stored = queries.image_figures(engine, run_id)
    class_of = dict(evidence.predicted_ids(engine, run_id).tolist())
    values: dict[str, list[float]] = {}
    by_class: dict[int, dict[str, list[float]]] = {}
    for number in measured_images(stored) & class_of.keys():
        for name, value in stored[number].items():
            # The share of empty maps is known from all maps of the run.
            if name != "maps-empty":
                values.setdefault(name, []).append(value)
                by_class.setdefault(class_of[number], {}).setdefault(name, []).append(value)
    figures = [run_figure(name, np.array(series), seed) for name, series in values.items()]
    per_class = {
        class_id: {
            name: float(np.mean(series))
            for name, series in named.items()
            if len(series) >= FEWEST_IMAGES
        }
        for class_id, named in by_class.items()
    }
    writes.set_figures(engine, run_id, figures, per_class)
    store_correlations(engine, run_id)
