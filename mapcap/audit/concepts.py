"""Concepts: a vocabulary of what photos may show, and how well the embedded CLIP tells each."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.datasets.encodings import read_text
from mapcap.errors import UserError
from mapcap.text import clean

_DATA = Path(__file__).parents[1] / "data"
VOCABULARY: Final = _DATA / "concepts.tsv"
RELIABILITIES: Final = _DATA / "concepts_mini.tsv"
FIELD: Final = "field"
"""The group of a person's own terms that name none."""
RELIABLE: Final = 0.9
"""Least AUC on captioned photos of a concept that may speak."""

_COLUMNS: Final = 5
_HEADER: Final = "group\tterm"
_LONGEST, _MOST_TERMS = 100, 2000
_TEMPLATES: Final = ("{}", "a photo of {}", "there is {}")
_CONDITION_TEMPLATES: Final = ("{}", "a photo {}", "it is {}")
_CONDITIONS: Final = frozenset({"setting", "light", "view"})
"""Groups of what a photo is, as “at night”; of the others a photo shows something."""
_THINGS: Final = frozenset(
    {"animals", "plants", "food", "vehicles", "buildings", "furniture", "things", "clothing"}
)
_ARTICLES: Final = ("a ", "an ", "the ", "something ")

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to their embeddings (T, D), L2-normalised."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that a photo may show, or be.

    `also` are other words that name it or a kind of it; `texts` mean it, `against` its absence.
    """

    group: str
    term: str
    also: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def phrase(self) -> str:
        """The concept as it stands after “misclassified images”."""
        return f"{'are' if self.group in _CONDITIONS else 'show'} {self.term}"

    @property
    def attributive(self) -> str:
        """The concept as it stands after “a group”."""
        return self.term if self.group in _CONDITIONS else f"showing {self.term}"

    @property
    def noun(self) -> str:
        """The term without its article."""
        return next((self.term.removeprefix(a) for a in _ARTICLES if self.term.startswith(a)),
                    self.term)  # fmt: skip

    @property
    def prompts(self) -> tuple[str, ...]:
        """The texts that mean it: its own, or its term in templates."""
        templates = _CONDITION_TEMPLATES if self.group in _CONDITIONS else _TEMPLATES
        return self.texts or tuple(template.replace("{}", self.term) for template in templates)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well a CLIP tells a concept, on captioned photos that no training saw.

    `threshold` is the score from which on a photo counts as showing it: the one of the best
    balanced accuracy there. `photos` of them show it.
    """

    auc: float
    threshold: float
    photos: int


@dataclass(frozen=True, eq=False)
class ConceptBank:
    """The concepts that a CLIP may speak of: `vectors` (C, D) score features by their products.

    `reliabilities` (C,) are None where nobody has measured how well this CLIP tells the concept.
    """

    concepts: Sequence[Concept]
    vectors: NDArray[np.float32]
    reliabilities: Sequence[Reliability | None]

    def __len__(self) -> int:
        """Return the number of concepts."""
        return len(self.concepts)


def concept_bank(
    embed: EmbedTexts, field_terms: Sequence[Concept], digest: str | None
) -> ConceptBank:
    """Return the concepts that may speak, with their vectors.

    Those of the embedded CLIP are the ones that it tells reliably, and the person's own, of which
    nobody has measured it. Of another CLIP nothing is known: all speak, and say so.

    Args:
        embed: the CLIP's text tower.
        field_terms: a person's own concepts.
        digest: of the CLIP's weights if it is the embedded one; reliabilities measured with other
            weights count as not known.
    """
    measured = read_reliabilities(RELIABILITIES, digest) if digest else {}
    field_names = {concept.term for concept in field_terms}
    known = [concept for concept in vocabulary() if concept.term not in field_names]
    if measured:
        known = [
            concept
            for concept in known
            if concept.term in measured and measured[concept.term].auc >= RELIABLE
        ]
    concepts = [*known, *field_terms]
    return ConceptBank(
        concepts,
        concept_vectors(embed, concepts),
        [
            measured.get(concept.term) if concept.term not in field_names else None
            for concept in concepts
        ],
    )


def concept_vectors(embed: EmbedTexts, concepts: Sequence[Concept]) -> NDArray[np.float32]:
    """Return one vector a concept: (C, D), the mean of its texts less that of its absence.

    The product with an L2-normalised feature is the mean cosine with the texts that mean it, less
    the mean cosine with those that mean its absence where it has some.
    """
    groups = [texts for each in concepts for texts in (each.prompts, each.against) if texts]
    if not groups:
        return np.zeros((0, 1), np.float32)
    embedded = embed([text for texts in groups for text in texts]).astype(np.float32)
    ends = np.cumsum([len(texts) for texts in groups])
    means = iter([part.mean(0) for part in np.split(embedded, ends[:-1])])
    return np.stack([next(means) - (next(means) if each.against else 0) for each in concepts])


@cache
def vocabulary() -> tuple[Concept, ...]:
    """Return the concepts of `mapcap/data/concepts.tsv`."""
    return parse_concepts(VOCABULARY.read_text(encoding="utf-8").splitlines(), str(VOCABULARY))


def field_lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a person's own concepts, each of which can be read.

    Raises:
        UserError: naming the file, and the line where it is one.
    """
    lines = read_text(path, "--concepts").splitlines()
    parse_concepts(lines, f"--concepts {path}")
    return tuple(line for line in lines if _holds_term(line))


def parse_concepts(lines: Sequence[str], origin: str) -> tuple[Concept, ...]:
    """Return concepts: a term a line, or group, term, also, texts, against between tabs.

    Several of a column stand between bars. Empty lines, and those that begin with #, hold none.

    Raises:
        UserError: naming the origin and the line that cannot be read.
    """
    concepts: dict[str, Concept] = {}
    for number, line in enumerate(lines, 1):
        if not _holds_term(line):
            continue
        concept = _concept(line, f"{origin}, line {number}")
        if concept.term in concepts:
            raise UserError(
                f"{origin}, line {number}: “{concept.term}” stands there twice; drop one."
            )
        concepts[concept.term] = concept
    if not 0 < len(concepts) <= _MOST_TERMS:
        raise UserError(
            f"{origin}: holds {len(concepts)} terms. Give between 1 and {_MOST_TERMS}, one a line."
        )
    return tuple(concepts.values())


def _holds_term(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("#", _HEADER))


def _concept(line: str, place: str) -> Concept:
    parts = [part.strip() for part in line.split("\t")]
    if len(parts) > _COLUMNS:
        raise UserError(
            f"{place}: has {len(parts)} columns. Write a term, or group, term, also, texts and "
            "against between tabs."
        )
    if len(parts) == 1:
        parts = [FIELD, *parts]
    group, term, *several = [*parts, *[""] * (_COLUMNS - len(parts))]
    lists = [tuple(text.strip() for text in each.split("|") if text.strip()) for each in several]
    if not term:
        raise UserError(f"{place}: has no term. Write one, such as “a hospital bed”.")
    for text in (group, term, *(text for each in lists for text in each)):
        if len(text) > _LONGEST or clean(text) != text:
            raise UserError(
                f"{place}: “{clean(text[:_LONGEST])}” is longer than {_LONGEST} characters or "
                "holds control characters. Shorten it."
            )
    return Concept(group or FIELD, term, *lists)


def read_reliabilities(path: Path, digest: str) -> Mapping[str, Reliability]:
    """Return how well the embedded CLIP tells concepts, by their terms.

    None where the file is of other weights than those of `digest`.
    """
    with path.open(encoding="utf-8", newline="") as file:
        if file.readline().removeprefix("# sha256 ").strip() != digest:
            return {}
        rows = csv.DictReader(file, delimiter="\t")
        return {
            row["term"]: Reliability(float(row["auc"]), float(row["threshold"]), int(row["photos"]))
            for row in rows
        }


@cache
def words_of(concept: Concept) -> frozenset[str]:
    """Return the words and phrases that name a concept or a kind of it, in lower case."""
    words = {concept.noun}
    for also in concept.also:
        if also.startswith("@"):
            members = [each for each in vocabulary() if each.group == also[1:] and each != concept]
            words.update(word for each in members for word in (each.noun, *each.also))
        else:
            words.add(also)
    return frozenset(word.lower() for word in words if not word.startswith("@"))


@cache
def kinds_of(name: str) -> frozenset[str]:
    """Return the nouns of what a thing of this name, or of its last word, is: fruit of a lemon."""
    wanted = {name.lower(), name.lower().rpartition(" ")[2]}
    return frozenset(each.noun for each in vocabulary() if wanted & words_of(each))


def things() -> tuple[str, ...]:
    """Return the nouns of the vocabulary that could be the name of a class."""
    return tuple(dict.fromkeys(each.noun for each in vocabulary() if each.group in _THINGS))
