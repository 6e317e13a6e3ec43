"""Stage `relevance`: where the model looks, for the true class and for the one it took."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from db import queries, writes
from db.records import ImageTask, Role
from db.rows import NewRelevance
from mapcap.relevance import relevance_maps
from mapcap.stages.base import Stage
from mapcap.stages.pictures import Pictures, read_pictures
from mapcap.stages.zero_shot import weights_of

ROLES: tuple[Role, ...] = ("true", "predicted", "contrast")


class Relevance(Stage[Pictures]):
    """Maps for the true class; for a wrong image also for the predicted one and the contrast."""

    name = "relevance"
    unit = "images"

    def total(self) -> int:  # noqa: D102
        return queries.readable_images(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        pending = queries.pending_relevance(self.job.engine, self.job.run_id, ROLES)
        if pending:
            self._weights = weights_of(self.job)
        return pending

    def read(self, items: Sequence[int]) -> Pictures:  # noqa: D102
        return read_pictures(self.job, items)

    def compute(self, data: Pictures, tick: Callable[[float], None]) -> None:  # noqa: D102
        # Right and wrong images apart: only the wrong ones pay for three backward passes.
        right = [i for i, task in enumerate(data.tasks) if _predicted(task) == task.class_position]
        wrong = [i for i, task in enumerate(data.tasks) if _predicted(task) != task.class_position]
        rows: list[NewRelevance] = []
        for chosen, roles in ((right, ROLES[:1]), (wrong, ROLES)):
            if chosen:
                tasks = [data.tasks[i] for i in chosen]
                rows += self._maps(tasks, data.views[chosen], roles)
        writes.add_relevance(self.job.engine, rows)

    def _maps(
        self, tasks: Sequence[ImageTask], views: Tensor, roles: Sequence[Role]
    ) -> list[NewRelevance]:
        """Return the maps of images for some roles, from one forward pass."""
        count = len(self.job.class_ids)
        true = torch.tensor([task.class_position for task in tasks])  # (B,)
        predicted = torch.tensor([_predicted(task) for task in tasks])  # (B,)
        contrast = (F.one_hot(predicted, count) - F.one_hot(true, count)).float()  # (B, K)
        targets = {"true": true, "predicted": predicted, "contrast": contrast}
        maps = relevance_maps(
            self.job.networks.clip.model,
            views,
            self._weights,
            [targets[role] for role in roles],
            self.job.config.relevance_start_layer,
        )
        return [
            NewRelevance(
                image_id=task.id,
                role=role,
                target_class_id=self.job.class_ids[int((true if role == "true" else predicted)[i])],
                grid=grid.float().cpu().numpy(),
            )
            for role, grids in zip(roles, maps, strict=True)
            for i, (task, grid) in enumerate(zip(tasks, grids, strict=True))
        ]


def _predicted(task: ImageTask) -> int:
    assert task.predicted_position is not None, "only predicted images are pending"
    return task.predicted_position
