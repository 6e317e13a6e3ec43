"""What a captioner gets to know of the colours of a run's regions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from db import queries
from db.engine import open_read
from mapcap.colours import region_colours
from mapcap.config import IndexConfig
from mapcap.indexing.stages.captions import Captioning, Shown, _fetch
from mapcap.indexing.stages.computation import Context
from mapcap.networks.loading import load_networks


def test_colours_are_counted_in_the_thumbnail_as_in_the_photo(db: Path, photos: Path) -> None:
    engine, config = open_read(db), IndexConfig(photos=str(photos), decoding="rerank")
    networks = load_networks(config, torch.device("cpu"))
    regions = [
        region.id
        for image in queries.images(engine, 1)
        for region in queries.regions(engine, image.id)
    ]
    wanted = _fetch(config.representation, networks.captioner.needs, {}, engine, regions)
    assert [shown.task.id for shown in wanted.shown] == wanted.region_ids == sorted(regions)
    captioning = Captioning(Context(config, str(photos), (), networks))
    data = captioning.read(wanted)
    assert data.part(1, 3).colours == data.colours[1:3]
    for shown, found in zip(wanted.shown, data.colours, strict=True):
        task = shown.task
        with Image.open(photos / task.path) as photo:
            pixels = networks.clip.view(*photo.size).cut(photo, networks.clip.size)
        assert task.mask.shape == networks.clip.size and found is not None
        for shares, real in zip(found, region_colours(pixels, task.mask), strict=True):
            assert abs(np.array([shares[name] - real[name] for name in real])).max() < 0.15
    task = wanted.shown[0].task
    for damaged in (None, b"", b"RIFF nothing"):
        blank = replace(wanted, shown=[Shown(task, damaged)])
        assert captioning.read(blank).colours == [None]
