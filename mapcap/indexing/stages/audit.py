"""Stage `audit`: why each class fails, from what the store holds."""

from collections.abc import Callable, Sequence

from db.rows import NewAudit
from mapcap.audit.material import Material
from mapcap.indexing.stages.audit_reading import Source
from mapcap.indexing.stages.auditor import Auditor
from mapcap.indexing.stages.base import Job, Stage


class Audit(Stage[Material, NewAudit]):
    """Findings, error words and one line for every class."""

    name = "audit"
    unit = "classes"

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._auditor = Auditor(Source(job.engine, job.run_id, job.config, job.networks.clip))

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return self._auditor.pending()

    def read(self, items: Sequence[int]) -> Material:  # noqa: D102
        (class_id,) = items
        return self._auditor.read(class_id)

    def compute(self, data: Material, tick: Callable[[float], None]) -> NewAudit:  # noqa: D102
        return self._auditor.audit(data)

    def store(self, result: NewAudit) -> None:  # noqa: D102
        self._auditor.store(result)
