"""Stage `pmi`: how much each caption of a class tells about the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Engine

from db import queries, writes
from db.records import ClassCaption
from db.rows import NewPmi
from mapcap.indexing.stages.base import Fetch, PortableStage
from mapcap.indexing.stages.computation import Computation
from mapcap.networks.clip import Clip
from mapcap.pmi import choose_sentences, pmi_matrix
from mapcap.summaries.selection import relevances
from mapcap.zero_shot import class_weights


@dataclass(frozen=True)
class Candidates:
    """The distinct captions of a class that say something of what is shown."""

    class_id: int
    captions: list[ClassCaption]


class Scoring(Computation[Candidates, Candidates, NewPmi]):
    """A class's captions to their PMI matrix."""

    def read(self, wanted: Candidates) -> Candidates:  # noqa: D102
        return wanted

    def compute(self, data: Candidates, tick: Callable[[float], None]) -> NewPmi:  # noqa: D102
        captions = self._chosen(data)
        language_model = self.context.networks.language_model
        pmi = pmi_matrix(
            [caption.text for caption in captions],
            language_model.model,
            language_model.tokenizer,
            progress=lambda done, total: tick(done / total),
            packed=language_model.packed,
        )
        counts = np.array([caption.count for caption in captions], dtype=np.int64)
        return NewPmi(
            class_id=data.class_id,
            caption_ids=np.array([c.caption_id for c in captions], dtype=np.int64),
            counts=counts,
            matrix=pmi.matrix,
            surprisal=pmi.surprisal,
            relevance=relevances(pmi.matrix, counts),
            distinct_total=len(data.captions),
        )

    def _chosen(self, data: Candidates) -> list[ClassCaption]:
        """Return the captions that enter the matrix."""
        config, most = self.context.config, self.context.config.max_sentences
        if len(data.captions) <= most:
            return data.captions
        counts = [caption.count for caption in data.captions]
        embeddings = _embeddings(self.context.networks.clip, [c.text for c in data.captions])
        chosen = choose_sentences(counts, embeddings, most, config.seed)
        return [data.captions[index] for index in chosen]


class Pmi(PortableStage[Candidates, NewPmi]):
    """The PMI matrix of every class, over at most `max_sentences` distinct captions."""

    name = "pmi"
    unit = "classes"
    computation_class = Scoring

    def take_over(self, run_id: int) -> int:
        """Copy the matrices of the classes of which the other run says the very same."""
        job = self.job
        theirs = {each.position: each.id for each in queries.classes(job.engine, run_id)}
        pending, taken = set(self.pending()), 0
        for position, class_id in enumerate(job.class_ids):
            source = theirs.get(position)
            if class_id not in pending or source is None:
                continue
            shared = _shared(job.engine, class_id, source)
            if shared is not None:
                self.store(shared)
                taken += 1
        return taken

    def total(self) -> int:  # noqa: D102
        return len(self.job.class_ids)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return queries.pending_pmi(self.job.engine, self.job.run_id)

    def fetching(self) -> Fetch:  # noqa: D102
        return partial(_fetch, self.job.config.keep_artefacts)

    def store(self, result: NewPmi) -> None:  # noqa: D102
        job, most = self.job, self.job.config.max_sentences
        writes.add_pmi(job.engine, result)
        if result.distinct_total > len(result.caption_ids):
            writes.add_note(
                job.engine,
                job.run_id,
                f"Classes with more than {most} distinct captions are summarised from {most} of "
                "them: the most frequent and a spread of the rest (--max-sentences).",
            )


def _shared(engine: Engine, class_id: int, source: int) -> NewPmi | None:
    """Return the matrix of another run's class for this one; None unless both have one text."""
    captions, others = (queries.pmi_candidates(engine, each) for each in (class_id, source))
    said = [(each.text, each.count, each.artefact) for each in captions]
    pmi = queries.pmi(engine, source)
    if pmi is None or said != [(each.text, each.count, each.artefact) for each in others]:
        return None
    ids = {each.text: each.caption_id for each in captions}
    counts = {each.text: each.count for each in captions}
    # One that was made before the other run's captions were what they are.
    if any(counts.get(text) != n for text, n in zip(pmi.texts, pmi.counts, strict=True)):
        return None
    return NewPmi(
        class_id=class_id,
        caption_ids=np.array([ids[text] for text in pmi.texts], dtype=np.int64),
        counts=pmi.counts,
        matrix=pmi.matrix,
        surprisal=pmi.surprisal,
        relevance=pmi.relevance,
        distinct_total=pmi.distinct_total,
    )


def _fetch(keep_artefacts: bool, engine: Engine, items: Sequence[int]) -> Candidates:
    """Fetch the captions of the one class that `items` names."""
    (class_id,) = items
    captions = queries.pmi_candidates(engine, class_id)
    if not keep_artefacts:
        # A class of which nothing else is said is still summarised by what there is.
        captions = [caption for caption in captions if not caption.artefact] or captions
    return Candidates(class_id, captions)


def _embeddings(clip: Clip, texts: Sequence[str]) -> np.ndarray:
    """Return the embeddings (n, D) of captions: each is the only template-free class name."""
    return class_weights(clip.model, clip.tokenizer, texts).float().cpu().numpy()
