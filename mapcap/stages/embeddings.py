"""Stage `embeddings`: every region as the model's own embedding space has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from db import queries, writes
from db.records import RegionTask
from mapcap.regions import Region
from mapcap.representations import embed_regions
from mapcap.stages.base import Stage
from mapcap.stages.pictures import Pictures, read_pictures


@dataclass(frozen=True)
class RegionBatch:
    """The regions of a batch, those of one map together, and what they lie in."""

    pictures: Pictures
    maps: list[list[RegionTask]]
    """The regions of each map."""
    owners: list[int]
    """For each map, the place of its image in `pictures`."""
    grids: NDArray[np.float32]
    """(maps, gh, gw)"""


class Embeddings(Stage[RegionBatch]):
    """The run's representation of every region."""

    name = "embeddings"
    unit = "regions"

    def total(self) -> int:  # noqa: D102
        return queries.region_count(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        config = self.job.config
        return queries.pending_embeddings(self.job.engine, self.job.run_id, config.representation)

    def read(self, items: Sequence[int]) -> RegionBatch:  # noqa: D102
        regions = queries.region_tasks(self.job.engine, items)
        pictures = read_pictures(self.job, sorted({region.image_id for region in regions}))
        place = {task.id: i for i, task in enumerate(pictures.tasks)}
        readable = sorted(
            (region for region in regions if region.image_id in place),
            key=lambda region: (region.image_id, region.role, region.rank),
        )
        by_map = groupby(readable, key=lambda region: (region.image_id, region.role))
        maps = {key: list(group) for key, group in by_map}
        stored = queries.relevances(self.job.engine, list(place))
        rows, columns = self.job.networks.clip.grid
        grids = [stored[image_id][role].grid.astype(np.float32) for image_id, role in maps]
        return RegionBatch(
            pictures,
            list(maps.values()),
            [place[image_id] for image_id, _ in maps],
            np.stack(grids) if grids else np.empty((0, rows, columns), np.float32),
        )

    def compute(self, data: RegionBatch, tick: Callable[[float], None]) -> None:  # noqa: D102
        if not data.maps:
            return
        features = embed_regions(
            self.job.networks.clip.model,
            data.pictures.views[data.owners],
            data.grids,
            [[_region(task) for task in regions] for regions in data.maps],
            self.job.config.representation,
            self.job.config.threshold,
        )
        ids = [task.id for regions in data.maps for task in regions]
        writes.add_embeddings(
            self.job.engine,
            self.job.config.representation,
            ids,
            features.float().cpu().numpy(),
        )


def _region(task: RegionTask) -> Region:
    """Return a stored region as the computation knows it; its shares are not asked for."""
    rows, columns = np.flatnonzero(task.mask.any(1)), np.flatnonzero(task.mask.any(0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Region(task.mask, box, float(task.mask.mean()), 0.0, task.patch_mask)
