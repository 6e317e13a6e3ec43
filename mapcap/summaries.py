"""What a class's captions say as a whole: chosen sentences and the words that carry them."""

import re
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from db.selection import Selected, relevances, select

__all__ = ["Selected", "relevances", "select", "summaries", "words"]

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

# English words that say nothing of a picture. Colours, numbers, places ("on top", "next to") and
# "background" are left in: they are what captions differ by.
_STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been being both but by
    can could did do does doing don't down during each few for from had has have having he her here
    hers herself him himself his how i if in into is isn't it it's its itself just like may me more
    most my myself no nor not now of off on once only or other our ours out over own same she so
    some such than that that's the their theirs them themselves then there these they this those
    through to too up very was we were what when where which while who whom why will with would you
    your yours yourself
    """.split()
)


def summaries(
    matrix: ArrayLike,
    counts: Sequence[int] | NDArray[Any] | None = None,
    max_k: int = 9,
    redundancy: float = 1.0,
) -> list[list[Selected]]:
    """Return the summary of each length from 1 to max_k, as if each were started afresh.

    `select` is greedy and its state starts at zero, so the choice for k is the beginning of the
    choice for max_k: one run gives them all. Lengths beyond the number of sentences repeat the
    whole. Arguments and errors are those of `select`.
    """
    chosen = select(matrix, counts, max_k, redundancy)
    return [chosen[:k] for k in range(1, max_k + 1)]


def words(
    texts: Sequence[str],
    relevance: Sequence[float] | NDArray[Any],
    counts: Sequence[int] | NDArray[Any],
    top: int = 30,
) -> list[tuple[str, float, int]]:
    """Return a class's most relevant words as (word, score, count), strongest first.

    A word's weight is the sum over the captions that hold it of count x relevance; its score is
    that weight divided by the class's largest, or 0 where no caption has any relevance; its count
    is the number of captions, repeated ones included. Words are lower-cased; stop words and single
    letters are left out.

    Args:
        texts: the n distinct captions.
        relevance: (n,) relevance of each, as `relevances` gives it.
        counts: (n,) how often each occurs.
        top: at most this many words.

    Raises:
        ValueError: if the three do not have the same length.
    """
    weight: dict[str, float] = {}
    count: dict[str, int] = {}
    for text, relevant, times in zip(texts, relevance, counts, strict=True):
        for word in set(_WORD.findall(text.lower())) - _STOP_WORDS:
            if len(word) > 1:
                weight[word] = weight.get(word, 0.0) + float(times) * float(relevant)
                count[word] = count.get(word, 0) + int(times)
    largest = max(weight.values(), default=0.0) or 1.0
    ranked = sorted(weight, key=lambda word: (-weight[word], -count[word], word))
    return [(word, weight[word] / largest, count[word]) for word in ranked[:top]]
