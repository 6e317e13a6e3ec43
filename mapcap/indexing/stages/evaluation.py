"""Stage `evaluation`: metrics of the maps, captions and summaries of the run.

What needs the pictures again (faithfulness, sanity) is left to `mapcap evaluate --sample`.
"""

from collections.abc import Callable, Sequence

from mapcap.evaluation.measuring import Measuring
from mapcap.evaluation.reading import ClassMaterial
from mapcap.indexing.stages.base import Job, Stage


class Evaluation(Stage[ClassMaterial, None]):
    """Figures of every class and of the run, from what is stored and the text tower."""

    name = "evaluation"
    unit = "classes"

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._measuring = Measuring(job.engine, job.run_id, job.config, job.networks.clip)

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return self._measuring.pending()

    def read(self, items: Sequence[int]) -> ClassMaterial:  # noqa: D102
        (class_id,) = items
        return self._measuring.read(class_id)

    def compute(self, data: ClassMaterial, tick: Callable[[float], None]) -> None:  # noqa: D102
        self._measuring.measure(data)

    def store(self, result: None) -> None:
        """Store nothing yet: the figures are of all classes."""

    def finish(self) -> None:
        """Store the figures; nothing of the stage is stored before."""
        self._measuring.store()
