"""How well the embedded CLIP tells each concept of the audit, on captioned photos it never saw.

    python -m scripts.concept_reliability --photos FOLDER --captions flickr8k-captions.tsv

writes `mapcap/data/concepts_mini.tsv`: for each concept the AUC over Flickr8k's dev photos, and the
score of the best balanced accuracy. A concept is true of a photo if at least two of its five
sentences name it or a kind of it, as `also` in `concepts.tsv` lists them. What too few photos show,
or too few lack, is left out. To be run again whenever the embedded CLIP changes: the file begins
with the digest of the weights, and with other weights the audit takes nothing as known.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from mapcap.audit.concepts import (
    RELIABILITIES,
    RELIABLE,
    Concept,
    Reliability,
    concept_vectors,
    vocabulary,
    words_of,
)
from mapcap.indexing.digests import weights_digest
from mapcap.indexing.stages.concept_reading import text_embedder
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.embedded import MINI, embedded
from mapcap.stats import rank_sum
from scripts.build_mini.people import Described, read_described

FEWEST = 10
"""Photos that must show a concept, and that must not."""
_NAMED = 2
_LONGEST = 3
_BATCH = 64


def phrases_of(sentence: str) -> frozenset[str]:
    """Return one to three words side by side of a sentence, the last one singular as well."""
    words = re.findall(r"[\w'-]+", sentence.lower())
    phrases: set[str] = set()
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            phrase = " ".join(words[start:end])
            phrases.update((phrase, phrase.removesuffix("s"), phrase.removesuffix("es")))
    return frozenset(phrases)


def truths(concept: Concept, photos: Sequence[Sequence[frozenset[str]]]) -> NDArray[np.bool_]:
    """Return of which photos (N,) a concept is true: at least two sentences name it.

    A photo is given by the phrases of its sentences.
    """
    names = words_of(concept)
    return np.array(
        [sum(not names.isdisjoint(phrases) for phrases in photo) >= _NAMED for photo in photos]
    )


def reliability(scores: NDArray[np.float64], true: NDArray[np.bool_]) -> Reliability | None:
    """Return how well scores (N,) tell of which photos a concept is true; None for too few."""
    if min(int(true.sum()), int((~true).sum())) < FEWEST:
        return None
    auc = float(rank_sum(scores[:, None], true)[0][0])
    order = np.argsort(scores, kind="stable")
    # Of each score as the last that counts as not showing it.
    missed = np.cumsum(true[order]) / true.sum()
    passed = np.cumsum(~true[order]) / (~true).sum()
    best = int(np.argmax(passed - missed))
    return Reliability(auc, float(scores[order[best]]), int(true.sum()))


def features(clip: Clip, paths: Sequence[Path]) -> NDArray[np.float32]:
    """Return the L2-normalised features (N, D) of photos."""
    parts = []
    for start in range(0, len(paths), _BATCH):
        pictures = []
        for path in paths[start : start + _BATCH]:
            with Image.open(path) as opened:
                pictures.append(clip.preprocess(opened.convert("RGB")))
        with torch.no_grad():
            parts.append(
                F.normalize(clip.model.encode_image(torch.stack(pictures)).float(), dim=-1)
            )
    return torch.cat(parts).numpy()


def measure(clip: Clip, photos: Sequence[Described], folder: Path) -> dict[str, Reliability]:
    """Return the reliability of every concept that enough photos show, by its term."""
    concepts = vocabulary()
    vectors = concept_vectors(text_embedder(clip), concepts)
    scores = features(clip, [folder / photo.file for photo in photos]) @ vectors.T
    told = [[phrases_of(sentence) for sentence in photo.sentences] for photo in photos]
    measured = (
        (concept.term, reliability(scores[:, i].astype(np.float64), truths(concept, told)))
        for i, concept in enumerate(concepts)
    )
    return {term: each for term, each in measured if each is not None}


def write(path: Path, measured: dict[str, Reliability], digest: str) -> None:
    """Write reliabilities as `read_reliabilities` reads them."""
    lines = [f"# sha256 {digest}", "term\tauc\tthreshold\tphotos"]
    lines += [
        f"{term}\t{each.auc:.3f}\t{each.threshold:.4f}\t{each.photos}"
        for term, each in measured.items()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure and write, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="Folder of Flickr8k's photos.")
    parser.add_argument("--captions", type=Path, required=True, help="flickr8k-captions.tsv.")
    parser.add_argument("--out", type=Path, default=RELIABILITIES)
    options = parser.parse_args()
    clip = load_clip(MINI, device=torch.device("cpu"))
    measured = measure(clip, read_described(options.captions, "dev"), options.photos)
    write(options.out, measured, weights_digest(embedded("clip")))
    reliable = [term for term, each in measured.items() if each.auc >= RELIABLE]
    for term, each in sorted(measured.items(), key=lambda pair: -pair[1].auc):
        print(f"{each.auc:.3f}  {each.photos:4d}  {term}")
    print(
        f"{len(reliable)} of {len(measured)} measured concepts have an AUC of {RELIABLE} or more."
    )


if __name__ == "__main__":
    main()
