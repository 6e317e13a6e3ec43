"""Stage `regions`: the salient parts of every relevance map."""

from collections.abc import Callable, Sequence

from db import queries, writes
from db.records import ImageTask, Relevance
from db.rows import NewRegion, NewRegions
from mapcap.regions import Region, find_regions
from mapcap.stages.base import Stage


class Regions(Stage[tuple[list[Relevance], dict[int, ImageTask]]]):
    """Regions with boxes in pixels of the original image; needs no network."""

    name = "regions"
    unit = "maps"
    items_per_batch = 512

    def total(self) -> int:  # noqa: D102
        return queries.relevance_count(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return queries.pending_regions(self.job.engine, self.job.run_id)

    def read(  # noqa: D102
        self, items: Sequence[int]
    ) -> tuple[list[Relevance], dict[int, ImageTask]]:
        maps = queries.relevances_by_id(self.job.engine, items)
        tasks = queries.image_tasks(self.job.engine, sorted({found.image_id for found in maps}))
        return maps, {task.id: task for task in tasks}

    def compute(  # noqa: D102
        self,
        data: tuple[list[Relevance], dict[int, ImageTask]],
        tick: Callable[[float], None],
    ) -> None:
        maps, tasks = data
        config, clip = self.job.config, self.job.networks.clip
        found = []
        for relevance in maps:
            regions = find_regions(
                relevance.grid,
                clip.size,
                threshold=config.threshold,
                max_regions=config.regions,
                min_area=config.min_area,
            )
            rows = [self._row(region, tasks[relevance.image_id]) for region in regions]
            found.append(NewRegions(relevance.id, rows))
        writes.add_regions(self.job.engine, found)

    def _row(self, region: Region, task: ImageTask) -> NewRegion:
        assert task.width and task.height, "a readable image has a size"
        view = self.job.networks.clip.view(task.width, task.height)
        x0, y0, x1, y1 = region.box
        return NewRegion(
            box=view.to_original((x0, y0, x1, y1)),
            area_share=region.area,
            mass_share=region.mass,
            patch_mask=region.patches,
            mask=region.mask,
        )
