"""Findings of kind `slice`: parts of a class, alike to the model, in which it errs more often.

Without labels: the parts that something sets apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.contrast import Contrast, contrasts
from mapcap.audit.cost import NOTHING, beyond
from mapcap.audit.findings import MOST_EVIDENCE, Finding, discounted
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, with_without
from mapcap.audit.material import Material, rate
from mapcap.audit.mixture import clusterings, stability
from mapcap.stats import STRICT, false_discovery, hypergeometric

NAME: Final = "slice"
_FEWEST_IMAGES = 3
_LARGEST = 1 / 3
"""Share of the class's images that a slice holds at most: more have nothing that a person sees."""
_STABLE = 0.7
"""Least Jaccard index, on average, with what other beginnings of the mixture find of a slice."""
_TURNS = 4
"""Other beginnings."""
_ORDERED = 8
"""Coordinates that regions are sorted by."""
_SAME = 0.5
"""Of two slices that share more of the smaller one's images, the less significant is dropped."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the parts of a class that err more often; doubted labels make them cost less."""
    material = inputs.material
    regions = material.regions
    if not material.labelled:
        return groups(material)
    parts = find_slices(
        regions.embeddings,
        regions.owners,
        ~material.images.correct,
        seed=material.seed,
    )
    return discounted(slices(material, parts), inputs.suspected)


@dataclass(frozen=True, eq=False)
class Slice:
    """A cluster of regions with the images that hold one of them.

    `regions` and `images` are places in the class's, the nearest to the centre first; `wrong` of
    the images are wrong; `p` is the permutation test's, `q` after Benjamini & Hochberg over the
    clusters of every grain.
    """

    regions: NDArray[np.int64]
    images: NDArray[np.int64]
    wrong: int
    p: float
    q: float


def find_slices(
    vectors: NDArray[Any],
    owners: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    *,
    seed: int,
) -> list[Slice]:
    """Return the clusters of a class's regions, those that err most significantly first.

    The permutation test is over images, since the regions of one image are right or wrong
    together: of all ways to choose as many images of the class, the share that hold at least as
    many wrong ones. It is computed exactly, as the tail of a hypergeometric distribution.

    Args:
        vectors: (R, D) region embeddings, L2-normalised.
        owners: (R,) place of each region's image in `wrong`.
        wrong: (n,) which images of the class are wrong.
        seed: of the mixture.
    """
    with_regions = np.unique(owners)
    total, total_wrong = len(with_regions), int(wrong[with_regions].sum())
    parts = []
    for regions, images in _clusters(vectors, owners, seed=seed):
        bad = int(wrong[images].sum())
        p = hypergeometric(bad, len(images), total_wrong - bad, total - len(images))
        parts.append((regions, images, bad, p))
    q = false_discovery([p for *_, p in parts])
    candidates = [
        Slice(regions, images, bad, p, float(q_value))
        for (regions, images, bad, p), q_value in zip(parts, q, strict=True)
    ]
    return _apart(sorted(candidates, key=lambda part: (part.p, int(part.regions[0]))))


def _clusters(
    vectors: NDArray[Any], owners: NDArray[np.int64], *, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the regions and images of each cluster of every grain, as `Slice` has them, once.

    Only of clusters that the mixture finds again from other beginnings.
    """
    if not len(vectors):
        return
    # The same photos in another order are the same slices.
    order = np.lexsort(vectors.T[:_ORDERED])
    vectors, owners = vectors[order], owners[order]
    most, seen = _LARGEST * len(np.unique(owners)), set[bytes]()
    turns = [clusterings(vectors, seed=seed + turn) for turn in range(1 + _TURNS)]
    for labels in turns[0]:
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            if stability(members, turns[1:]) < _STABLE:
                continue
            regions = _by_centre(vectors, members)
            images = owners[regions][np.sort(np.unique(owners[regions], return_index=True)[1])]
            if _FEWEST_IMAGES <= len(images) <= most and members.tobytes() not in seen:
                seen.add(members.tobytes())
                yield order[regions], images


def _apart(candidates: Sequence[Slice]) -> list[Slice]:
    """Return slices without those that hold mostly the same images as one before them."""
    kept: list[Slice] = []
    for part in candidates:
        images = set(part.images.tolist())
        others = (set(earlier.images.tolist()) for earlier in kept)
        if not any(len(images & other) > _SAME * min(len(images), len(other)) for other in others):
            kept.append(part)
    return kept


def _by_centre(vectors: NDArray[Any], regions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return regions in the order of their cosine with their mean."""
    members = vectors[regions].astype(np.float64)
    return regions[np.argsort(-(members @ members.mean(0)), kind="stable")]


def slices(material: Material, parts: Sequence[Slice]) -> list[Finding]:
    """Return the clusters of regions whose images err significantly more often than the rest."""
    images, wrong = material.images, ~material.images.correct
    findings = []
    for part in parts:
        inside = np.zeros(len(images), bool)
        inside[part.images] = True
        here, elsewhere = rate(wrong[inside]), rate(wrong[~inside])
        if part.q > STRICT or here <= elsewhere:
            continue
        evidence = [*part.images[wrong[part.images]], *part.images[~wrong[part.images]]]
        apart = contrasts(material, inside)
        names = [contrast.text for contrast in apart]
        bad_without = int(wrong[~inside].sum())
        findings.append(
            Finding(
                NAME,
                f"{_group(names)}: {part.wrong} of {len(part.images)} misclassified, "
                f"the others {bad_without} of {int((~inside).sum())}",
                beyond(inside, wrong),
                {
                    "names": names,
                    "contrasts": [asdict(contrast) for contrast in apart],
                    "images": len(part.images),
                    "wrong": part.wrong,
                    "regions": len(part.regions),
                    "images_without": int((~inside).sum()),
                    "wrong_without": bad_without,
                    "p": part.p,
                    "q": part.q,
                },
                images.ids[evidence].tolist()[:MOST_EVIDENCE],
                material.regions.ids[part.regions].tolist()[:MOST_EVIDENCE],
                frozenset(part.images[wrong[part.images]].tolist()),
            )
        )
    return findings


def groups(material: Material) -> list[Finding]:
    """Return the parts of a class that something sets apart, the most pronounced first, as notes.

    For images without labels, of which nobody knows where the classifier errs.
    """
    images, regions = material.images, material.regions
    named: list[tuple[Slice, Sequence[Contrast]]] = []
    for members, owners in _clusters(regions.embeddings, regions.owners, seed=material.seed):
        inside = np.zeros(len(images), bool)
        inside[owners] = True
        apart = contrasts(material, inside)
        if apart:
            named.append((Slice(members, owners, 0, 1.0, 1.0), apart))
    named.sort(key=lambda pair: -pair[1][0].gap)
    apart_of = {id(part): apart for part, apart in named}
    return [
        Finding(
            NAME,
            f"{_group([each.text for each in apart_of[id(part)]])}: "
            f"{len(part.images)} of {len(images)} images",
            NOTHING,
            {
                "names": [each.text for each in apart_of[id(part)]],
                "contrasts": [asdict(each) for each in apart_of[id(part)]],
                "images": len(part.images),
                "wrong": None,
                "regions": len(part.regions),
                "images_without": len(images) - len(part.images),
            },
            images.ids[part.images].tolist()[:MOST_EVIDENCE],
            regions.ids[part.regions].tolist()[:MOST_EVIDENCE],
        )
        for part in _apart([part for part, _ in named])
    ]


def _group(names: Sequence[str]) -> str:
    """Return what a group is called: by what sets it apart, never by one region's caption."""
    return f"a group {names[0]}" if names else "an unnamed group"


def clause(finding: Finding) -> str:
    """Say how many images of the group are misclassified, and what sets it apart."""
    figures = finding.figures
    if figures["wrong"] is None:
        return f"{figures['images']} are {_group(figures['names'])}"
    return (
        f"{figures['wrong']} of the {figures['images']} in {_group(figures['names'])} are "
        "misclassified"
    )


def details(finding: Finding) -> list[str]:
    """Return the figures of a slice as printed lines."""
    figures = finding.figures
    inside, outside = figures["images"], figures["images_without"]
    if figures["wrong"] is None:
        lines = [f"{figures['regions']} regions."]
    else:
        lines = [
            with_without(
                "the slice",
                (inside - figures["wrong"], inside),
                (outside - figures["wrong_without"], outside),
            ),
            f"{figures['regions']} regions, {chance(figures['p'])}, {chance(figures['q'], 'q')}.",
        ]
    if not figures["contrasts"]:
        lines.append("No word, concept or attribute sets the group apart from its class.")
    for each in figures["contrasts"]:
        lines.append(
            f"{each['text']}: {each['inside']} of its {inside}, {each['outside']} of the other "
            f"{outside} ({chance(each['q'], 'q')})."
        )
    return lines


SLICE: Final = Kind(NAME, "slice", "#d98cff", detect, details, clause, of_errors=False)
