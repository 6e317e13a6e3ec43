"""The words that carry a class's captions."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from mapcap.texts.wording import content_words


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
        for word in {word for word in content_words(text) if word}:
            weight[word] = weight.get(word, 0.0) + float(times) * float(relevant)
            count[word] = count.get(word, 0) + int(times)
    largest = max(weight.values(), default=0.0) or 1.0
    ranked = sorted(weight, key=lambda word: (-weight[word], -count[word], word))
    return [(word, weight[word] / largest, count[word]) for word in ranked[:top]]
