"""Noun phrases in people's sentences: "a brown dog", "two boys", "the snowy ground".

There is no tagger: a noun is what WordNet knows as one and what behaves like one here, standing
behind articles, numbers, colours or other nouns, and before function words.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ARTICLES = frozenset("a an the his her their its this some another".split())
NUMBERS = frozenset("two three four five six several many".split())
COLOURS = frozenset(
    """black white brown red blue green yellow orange pink tan purple grey gray beige gold golden
    silver blond blonde dark light bright colorful multicolored""".split()
)
ADJECTIVES = COLOURS | frozenset(
    """young little small large big old older elderly wet dry tall long short asian male female
    adult snowy sandy grassy rocky muddy plastic metal concrete wooden green leather striped
    spotted plaid furry fluffy hairy bald shirtless barefoot smiling swimming german african
    american military rubber floral denim leafy frozen bare open deep shallow steep paved""".split()
)
_BEFORE_NOUNS = frozenset(
    """dirt stone brick soccer tennis football basketball baseball hockey rugby mountain city straw
    toy rope cowboy life christmas ice snow water beach dog race police motor winter park""".split()
)
_FUNCTION = frozenset(
    """is are in on with of at and to from by near while wearing that who as up down off through
    over behind into onto during under next has jumps runs jumping running standing sitting playing
    walking riding holding looking stands sits plays walks rides holds looks along against beside
    around across outside inside .""".split()
)
_NO_THING = frozenset(
    """front back top side background picture camera middle air game trick photo photograph image
    view set edge bottom midair distance foreground line row one other something day way
    end part kind type left right direction piece pair shot scene event action corner
    while as it he who she they them him play jump run walk stand ride look catch being
    has does watches pose jumps runs swim group midst turn turns time area base a there
    center leaps digs chews swims shaking blow bend break cover help flight slip rolls lot
    bunch closeup plain lead show stunt cast sides tops rear range pitch backs object item
    fair patch drink""".split()
)
_LEAST_SEEN = 12
_LEAST_FOLLOWED, _LEAST_LED = 0.45, 0.4

Words = list[str]


def words_of(sentence: str) -> Words:
    """Cut a sentence into words and full stops."""
    return re.findall(r"[a-z]+|\.", sentence.lower())


@dataclass(frozen=True)
class Chunker:
    """What it takes to find noun phrases: the nouns, and each one's usual article."""

    nouns: frozenset[str]
    article: dict[str, str]
    """"a", "the" or "" before a noun that stands without a number."""

    def phrases(self, sentence: str) -> list[str]:
        """Find the noun phrases of a sentence, with the nouns' usual articles."""
        return [self._said(chunk) for chunk in self.chunks(sentence)]

    def chunks(self, sentence: str) -> list[Words]:
        """Find the noun phrases of a sentence as words, without articles."""
        found: list[Words] = []
        chunk: Words = []
        words = [*words_of(sentence), "."]
        for word, behind in zip(words, [*words[1:], ""], strict=True):
            joins = word == "and" and chunk and chunk[-1] in COLOURS and behind in COLOURS
            if word in NUMBERS and not chunk:
                chunk = [word]
            elif joins or word in ADJECTIVES or word in _BEFORE_NOUNS or word in self.nouns:
                chunk.append(word)
            else:
                while chunk and chunk[-1] not in self.nouns:
                    chunk.pop()
                if chunk:
                    found.append(chunk)
                chunk = [word] if word in NUMBERS else []
        return found

    def _said(self, chunk: Words) -> str:
        if chunk[0] in NUMBERS:
            return " ".join(chunk)
        article = self.article[chunk[-1]]
        if article == "a" and chunk[-1].endswith("s") and not chunk[-1].endswith("ss"):
            article = ""
        if article == "a":
            article = "an" if chunk[0][0] in "aeiou" else "a"
        return " ".join([article, *chunk]).strip()


def learn(sentences: Iterable[str], wordnet: Path) -> Chunker:
    """Learn from sentences which words are nouns."""
    index = (wordnet / "index.noun").read_text(encoding="ascii").splitlines()
    known = {line.split()[0] for line in index if not line.startswith(" ")}
    sentences = list(sentences)
    seen: Counter[str] = Counter()
    followed: Counter[str] = Counter()
    led: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        words = words_of(sentence)
        for before, word, behind in zip(["", *words], words, [*words[1:], "."], strict=False):
            seen[word] += 1
            followed[word] += behind in _FUNCTION
            led[word][before] += 1
    leading = ARTICLES | NUMBERS | ADJECTIVES | _BEFORE_NOUNS
    nouns = {
        word
        for word, count in seen.items()
        if count >= _LEAST_SEEN
        and word not in _NO_THING | ADJECTIVES | ARTICLES | NUMBERS | _FUNCTION
        and _is_known(word, known)
        and followed[word] >= _LEAST_FOLLOWED * count
        and sum(led[word][lead] for lead in leading) >= _LEAST_LED * count
    }
    return Chunker(frozenset(nouns), _articles(sentences, Chunker(frozenset(nouns), {})))


def _articles(sentences: Sequence[str], chunker: Chunker) -> dict[str, str]:
    """Count what stands before the phrases of each noun, and choose its article."""
    led: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        text = " " + " ".join(words_of(sentence)) + " "
        for chunk in chunker.chunks(sentence):
            before = text.partition(f" {' '.join(chunk)} ")[0].rpartition(" ")[2]
            led[chunk[-1]][before] += 1
    return {noun: _article(led[noun]) for noun in chunker.nouns}


def _is_known(word: str, known: set[str]) -> bool:
    """Whether WordNet has the noun, or what is left of it without a plural's ending."""
    stems = [word, *(word.removesuffix(end) for end in ("s", "es") if word.endswith(end))]
    return not known.isdisjoint(stems) or word in ("men", "women", "children", "people")


def _article(led: Counter[str]) -> str:
    owned = sum(led[word] for word in ("his", "her", "its", "their"))
    single, definite = led["a"] + led["an"] + owned, led["the"]
    bare = sum(led.values()) - single - definite
    if single >= definite and single >= 0.12 * (single + definite + bare):
        return "a"
    return "the" if definite >= 0.3 * (definite + bare) else ""


def frequent(phrases: Iterable[Sequence[str]], least: int) -> list[str]:
    """List the phrases that at least so many photos have, by name; phrases of each photo given."""
    counted = Counter(phrase for of_photo in phrases for phrase in set(of_photo))
    return sorted(phrase for phrase, count in counted.items() if count >= least)
