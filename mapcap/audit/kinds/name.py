"""Findings of kind `name`: one thing under two names, names exchanged, and names that fit badly."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from mapcap.audit.cost import beyond_expected
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, percent
from mapcap.audit.material import Material, places
from mapcap.audit.misnomer import Misnomer, misnomer
from mapcap.audit.neighbours import nearest, neighbour_count
from mapcap.stats import SIGNIFICANT, binomial

NAME: Final = "name"
_DRAWN, _MOST_DRAWN = 0.2, 0.5
"""Share of two classes' images that are predicted as the other: of both together for one thing, of
each for exchange."""
_FEWEST = 5
_MIXED, _CLEAN = 0.7, 0.3
"""Least and most of each other among their nearest images, as a share of what chance would give,
for one thing and for exchange."""
_NEAR, _NEAR_SHARE = 3, 0.05
"""Names among which the other must be the nearest: three, or a twentieth of all in long lists."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the classes that are the same thing as this one or have its name, or a better name."""
    findings = names(inputs.material)
    better = misnomer(inputs.material)
    return findings if better is None else [*findings, _misnamed(inputs.material, better)]


@dataclass(frozen=True)
class _Pair:
    """A class and a rival: how many images of each are predicted as the other.

    `mixed` is the rival's share of the class's nearest images of both, divided by what it would
    be by chance: 0 for apart, 1 for the same. The rival's counts are those of the run's sample.
    """

    rival: int
    given: int
    taken: int
    images: int
    of_rival: int
    mixed: float
    cosine: float
    rank: int

    @property
    def drawn(self) -> float:
        """The share of both that is predicted as the other."""
        return (self.given + self.taken) / (self.images + self.of_rival)

    @property
    def least_drawn(self) -> float:
        """The smaller share of the two that is predicted as the other."""
        return min(self.given / self.images, self.taken / self.of_rival)


def names(material: Material) -> list[Finding]:
    """Return what the names of classes that draw each other's images may have wrong.

    One thing under two names: a fifth of the two classes' images is predicted as the other, more
    than if errors fell on all classes alike; their images are each other's neighbours nearly as
    often as chance, so that the network sees no difference; and the names are near. One of the
    names may draw nearly all of both. Exchanged: half of each is predicted as the other, while
    their images are clearly apart.
    """
    images, reference, me = material.images, material.reference, material.class_id
    if not len(images):
        return []
    given = Counter(images.predicted[~images.correct].tolist())
    taken_from = reference.classes[(reference.predicted == me) & (reference.classes != me)]
    findings = []
    for rival in sorted({*given, *taken_from.tolist()}):
        taken = _predicted(material, rival)
        if not taken or given[rival] + taken[me] < _FEWEST:
            continue
        pair = _pair(material, rival, given[rival], taken)
        if pair.least_drawn >= _MOST_DRAWN and pair.mixed <= _CLEAN:
            findings.append(_finding(material, pair, exchanged=True))
        elif pair.drawn >= _DRAWN and _one_thing(material, pair, taken):
            findings.append(_finding(material, pair, exchanged=False))
    return findings


def _predicted(material: Material, class_id: int) -> Counter[int]:
    """Return what a class's images are predicted as, in the run's sample."""
    reference = material.reference
    return Counter(reference.predicted[reference.classes == class_id].tolist())


def _pair(material: Material, rival: int, given: int, taken: Counter[int]) -> _Pair:
    cosine, rank = material.names.nearness(material.class_id, rival)
    return _Pair(
        rival=rival,
        given=given,
        taken=taken[material.class_id],
        images=len(material.images),
        of_rival=taken.total(),
        mixed=_mixed(material, rival),
        cosine=cosine,
        rank=rank,
    )


def _one_thing(material: Material, pair: _Pair, taken: Counter[int]) -> bool:
    others = len(material.names.ids) - 1
    near = pair.rank <= max(_NEAR, _NEAR_SHARE * (others + 1))
    errors = int((~material.images.correct).sum())
    theirs = taken.total() - taken[pair.rival]
    return (
        near
        and pair.mixed >= _MIXED
        and (
            _beyond_chance(pair.given, errors, others) or _beyond_chance(pair.taken, theirs, others)
        )
    )


def _beyond_chance(count: int, errors: int, others: int) -> bool:
    """Tell whether so many of a class's errors would not fall on one of the others by chance."""
    # Bonferroni: any of the others could have been the one.
    return binomial(count, errors, 1 / others) * others <= SIGNIFICANT


def _mixed(material: Material, rival: int) -> float:
    """Return how much a rival's images are among the class's neighbours, of what chance would give.

    Neighbours are those among the images of both classes.
    """
    images, reference = material.images, material.reference
    both = np.isin(reference.classes, [material.class_id, rival])
    classes = reference.classes[both]
    sizes = np.array([(classes == class_id).sum() for class_id in (material.class_id, rival)])
    if not len(images) or sizes.min() < 2:
        return float("nan")
    nearby = nearest(
        images.embeddings,
        images.ids,
        reference.embeddings[both],
        reference.ids[both],
        neighbour_count(sizes),
    )
    share = float((classes[nearby] == rival).mean())
    return share / float(sizes[1] / (sizes.sum() - 1))


def _finding(material: Material, pair: _Pair, *, exchanged: bool) -> Finding:
    images, names_ = material.images, material.names.names
    name, other = names_[material.class_id], names_[pair.rival]
    members = places(images.predicted == pair.rival, -images.confidence)
    what = "may have exchanged their names" if exchanged else "may be one thing under two names"
    return Finding(
        NAME,
        f"{name} and {other} {what}: {pair.given} of {pair.images} are predicted as {other}, "
        f"{pair.taken} of its {pair.of_rival} as {name}",
        beyond_expected(pair.given, pair.images, 0),
        {
            "rival_class_id": pair.rival,
            "rival": other,
            "exchanged": exchanged,
            "given": pair.given,
            "images": pair.images,
            "taken": pair.taken,
            "images_of_rival": pair.of_rival,
            "mixed": pair.mixed,
            "names_cosine": pair.cosine,
            "names_rank": pair.rank,
        },
        images.ids[members].tolist()[:MOST_EVIDENCE],
        (),
        frozenset(members.tolist()),
        f"exchanged with {other}" if exchanged else f"the same as {other}",
    )


def _misnamed(material: Material, better: Misnomer) -> Finding:
    """Return the finding of a word that would be a better name."""
    images = material.images
    name, now = material.names.names[material.class_id], int(better.correct.sum())
    mended = better.correct & ~images.correct
    members = places(mended, -images.confidence)
    return Finding(
        NAME,
        f"the name {name} fits badly: {int(better.better.sum())} of {len(images)} are nearer to "
        f"“{better.word}”, by which {now} would be correct instead of {better.before}",
        beyond_expected(now - better.before, len(images), 0),
        {
            "word": better.word,
            "better": int(better.better.sum()),
            "images": len(images),
            "before": better.before,
            "correct": now,
            "lost": better.lost,
            "p": better.p,
            "tried": better.tried,
        },
        images.ids[members].tolist()[:MOST_EVIDENCE],
        (),
        frozenset(members.tolist()),
    )


def clause(finding: Finding) -> str:
    """Say which class is the same thing, or has this one's name."""
    if "word" in finding.figures:
        return f"“{finding.figures['word']}” fits them better than the name"
    rival = finding.figures["rival"]
    if finding.figures["exchanged"]:
        return f"may have exchanged names with {rival}"
    return f"may be the same thing as {rival} under another name"


def details(finding: Finding) -> list[str]:
    """Return how the two classes draw each other, mix and are named, as printed lines."""
    figures = finding.figures
    if "word" in figures:
        return [
            f"By “{figures['word']}” {figures['correct']} of {figures['images']} would be correct "
            f"instead of {figures['before']}, and {figures['lost']} of other classes' images in "
            "the run's sample no longer.",
            f"{chance(figures['p'])} after McNemar, over all {figures['tried']} words tried.",
        ]
    rival, rank = figures["rival"], figures["names_rank"]
    drawn = (figures["given"] / figures["images"], figures["taken"] / figures["images_of_rival"])
    apart = "clearly apart" if figures["exchanged"] else "hardly apart"
    return [
        f"{percent(drawn[0])} are predicted as {rival}, {percent(drawn[1])} of its images as this.",
        f"Their images are {apart}: each other's neighbours {percent(figures['mixed'])} as often "
        "as by chance.",
        f"The names: cosine {figures['names_cosine']:.2f}, {rival} the "
        f"{'nearest' if rank == 1 else f'{rank}. nearest'}.",
    ]


NAME_KIND: Final = Kind(NAME, "name", "#ff6b9d", detect, details, clause, overlay=False)
