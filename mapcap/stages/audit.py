"""Stage `audit`: why each class fails, from what the store holds."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from db import queries, writes
from db.queries import evidence
from db.records import ErrorWord
from db.rows import NewAudit, NewFinding
from mapcap.audit.material import Images, Material
from mapcap.audit.report import ClassReport, audit_class
from mapcap.audit.word_rows import WordRow
from mapcap.stages.audit_reading import (
    read_images,
    read_names,
    read_reference,
    read_regions,
    read_rival,
)
from mapcap.stages.base import Job, Stage
from mapcap.zero_shot import class_weights

_RIVALS = 3
_FEWEST_TAKEN = 3
"""Images taken for a class, below which their words are not compared with its own."""
_MOST_KEPT_WORDS = 20_000


class Audit(Stage[Material]):
    """Findings, error words and one line for every class."""

    name = "audit"
    unit = "classes"
    items_per_batch = 1

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._embedded: dict[str, NDArray[np.float32]] = {}

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        pending = queries.pending_audit(self.job.engine, self.job.run_id)
        if pending:
            # One pass over the run; each class is then held against the same figures.
            self._names = read_names(self.job)
            self._reference = read_reference(self.job)
        return pending

    def read(self, items: Sequence[int]) -> Material:  # noqa: D102
        (class_id,) = items
        job = self.job
        images = read_images(job, evidence.predicted_images(job.engine, class_id))
        return Material(
            class_id=class_id,
            images=images,
            regions=read_regions(job, images, "true"),
            contrasts=read_regions(job, images, "contrast"),
            rivals={said: read_rival(job, said) for said in _rivals(images)},
            reference=self._reference,
            names=self._names,
            embed=self._embed,
            seed=job.config.seed,
        )

    def compute(self, data: Material, tick: Callable[[float], None]) -> None:  # noqa: D102
        writes.add_audit(self.job.engine, _row(data.class_id, audit_class(data)))

    def _embed(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the text embeddings of words; those of other classes are mostly the same."""
        if len(self._embedded) > _MOST_KEPT_WORDS:
            self._embedded.clear()
        clip = self.job.networks.clip
        new = [word for word in dict.fromkeys(words) if word not in self._embedded]
        if new:
            vectors = class_weights(clip.model, clip.tokenizer, new).float().cpu().numpy()
            self._embedded.update(zip(new, vectors, strict=True))
        return np.stack([self._embedded[word] for word in words])


def _rivals(images: Images) -> list[int]:
    """Return the classes that the images were most taken for."""
    taken = Counter(images.predicted[~images.correct].tolist()).most_common(_RIVALS)
    return [said for said, count in taken if count >= _FEWEST_TAKEN]


def _row(class_id: int, report: ClassReport) -> NewAudit:
    return NewAudit(
        class_id=class_id,
        line=report.line,
        clauses=[asdict(clause) for clause in report.clauses],
        figures=report.figures,
        words=[_word(row) for row in report.words],
        findings=[
            NewFinding(
                found.kind,
                found.title,
                found.score,
                found.figures,
                found.images,
                found.regions,
            )
            for found in report.findings
        ],
    )


def _word(row: WordRow) -> ErrorWord:
    return ErrorWord(
        word=row.word,
        against_class_id=row.against,
        log_odds=row.log_odds,
        z=row.z,
        q=row.q,
        b2t=row.b2t,
        b2t_low=row.b2t_low,
        b2t_high=row.b2t_high,
        images=row.images,
        correct=row.correct,
        wrong=row.wrong,
    )
