"""The audit of a run's classes, from what the store holds: pending ones, read, audited, stored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from db import queries, writes
from db.queries import evidence
from db.records import ErrorWord
from db.rows import NewAudit, NewFinding
from mapcap.audit.class_audit import ClassReport, audit_class
from mapcap.audit.findings import Finding
from mapcap.audit.kind import printed
from mapcap.audit.kinds import AUDIT_VERSION, KINDS
from mapcap.audit.material import Images, Material, bars_of
from mapcap.indexing.stages.audit_reading import (
    Source,
    read_images,
    read_names,
    read_reference,
    read_regions,
    read_rival,
)
from mapcap.indexing.stages.concept_reading import read_concept_bank
from mapcap.zero_shot import class_weights

_RIVALS = 3
_FEWEST_TAKEN = 3
"""Images taken for a class, below which their words are not compared with its own."""
_MOST_KEPT_WORDS = 20_000


class Auditor:
    """Findings, error words and one line for every class of a run."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._embedded: dict[str, NDArray[np.float32]] = {}

    def pending(self) -> Sequence[int]:
        """Return the classes to be audited, and read what each of them is compared with."""
        pending = queries.pending_audit(self._source.engine, self._source.run_id, AUDIT_VERSION)
        if pending:
            self.read_run()
        return pending

    def read_run(self) -> None:
        """Read what every class is held against, in one pass over the run."""
        self._names = read_names(self._source)
        self._reference = read_reference(self._source)
        self._concepts = read_concept_bank(self._source.config, self._source.clip)
        self._bars = bars_of(self._reference, self._names, seed=self._source.config.seed)

    def read(self, class_id: int) -> Material:
        """Return what the audit looks at of a class, once the run is read."""
        source = self._source
        images = read_images(source, evidence.predicted_images(source.engine, class_id))
        return Material(
            class_id=class_id,
            images=images,
            regions=read_regions(source, images, "true"),
            contrasts=read_regions(source, images, "contrast"),
            rivals={rival: read_rival(source, rival) for rival in _rivals(images)},
            reference=self._reference,
            names=self._names,
            bars=self._bars,
            embed=self._embed,
            concepts=self._concepts,
            seed=source.config.seed,
            paths=lambda ids: evidence.paths_of(source.engine, ids),
            labelled=not source.config.unlabelled,
        )

    def audit(self, material: Material) -> NewAudit:
        """Audit a class."""
        return new_audit(material.class_id, audit_class(material))

    def store(self, audit: NewAudit) -> None:
        """Store the audit of a class."""
        writes.add_audit(self._source.engine, audit)

    def _embed(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the text embeddings of words; those of other classes are mostly the same."""
        if len(self._embedded) > _MOST_KEPT_WORDS:
            self._embedded.clear()
        clip = self._source.clip
        new = [word for word in dict.fromkeys(words) if word not in self._embedded]
        if new:
            vectors = class_weights(clip.model, clip.tokenizer, new).float().cpu().numpy()
            self._embedded.update(zip(new, vectors, strict=True))
        return np.stack([self._embedded[word] for word in words])


def _rivals(images: Images) -> list[int]:
    """Return the classes that the images were most taken for."""
    taken = Counter(images.predicted[~images.correct].tolist()).most_common(_RIVALS)
    return [class_id for class_id, count in taken if count >= _FEWEST_TAKEN]


def new_audit(class_id: int, report: ClassReport) -> NewAudit:
    """Return the audit of a class as it is stored."""
    return NewAudit(
        class_id=class_id,
        line=report.line,
        clauses=[asdict(clause) for clause in report.clauses],
        figures=report.figures,
        words=[ErrorWord(**asdict(row)) for row in report.words],
        findings=[_new_finding(each, labelled=report.labelled) for each in report.findings],
        version=AUDIT_VERSION,
    )


def _new_finding(finding: Finding, *, labelled: bool) -> NewFinding:
    """Return a finding as it is stored: with its cost as a score, and all that is printed of it."""
    kind = KINDS[finding.kind]
    return NewFinding(
        kind=kind.name,
        title=finding.title,
        score=finding.cost.images,
        figures={**finding.figures, "cost": asdict(finding.cost)},
        image_ids=finding.images,
        region_ids=finding.regions,
        plain=kind.plain,
        colour=kind.colour,
        overlay=kind.overlay,
        details=printed(kind, finding, labelled=labelled),
        subject=finding.subject,
    )
