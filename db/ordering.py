"""The order in which classes are listed, and which of them: of records, without a query."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from db.records import ClassName

ClassSort = Literal[
    "position",
    "name",
    "images",
    "accuracy",
    "mean_true_probability",
    "top_wrong_share",
    "distinct_captions",
    "first_sentence",
]


def _wrong_share(record: ClassName) -> float | None:
    return record.top_wrong_count / record.predicted if record.predicted else None


_KEYS: Final[dict[ClassSort, Callable[[ClassName], float | str | None]]] = {
    "position": lambda record: record.position,
    "name": lambda record: record.name.casefold(),
    "images": lambda record: record.images,
    "accuracy": lambda record: record.accuracy,
    "mean_true_probability": lambda record: record.mean_true_probability,
    "top_wrong_share": _wrong_share,
    "distinct_captions": lambda record: record.distinct_captions,
    "first_sentence": lambda record: record.first_sentence and record.first_sentence.casefold(),
}


def with_photos(records: Sequence[ClassName]) -> list[ClassName]:
    """Return classes without those that no image has: they are only predicted, or only outputs.

    Where no class has an image, none has been counted yet, and all are returned.
    """
    return [each for each in records if each.images] or list(records)


def arranged(
    records: Iterable[ClassName],
    *,
    sort: ClassSort = "position",
    descending: bool = False,
    words: str = "",
    below: float | None = None,
) -> list[ClassName]:
    """Return classes, given by position, in another order; those without what sorts come last.

    `words` keeps the classes whose name or label holds them in any case, `below` those of lower
    accuracy.
    """
    wanted, key = words.casefold(), _KEYS[sort]
    kept = [
        each
        for each in records
        if (not wanted or wanted in each.name.casefold() or wanted in each.label.casefold())
        and (below is None or (each.accuracy is not None and each.accuracy < below))
    ]
    sortable = [each for each in kept if key(each) is not None]
    # Equals keep their order in both directions.
    sortable.sort(key=key, reverse=descending)  # type: ignore[arg-type]
    return sortable + [each for each in kept if key(each) is None]
