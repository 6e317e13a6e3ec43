"""What class numbers mean: the order of the classes, and whether another one fits far better."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mapcap.datasets import ClassLabel
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.classes import Classes
from mapcap.predictions.records import OPTION
from mapcap.text import counted

FAR_BETTER = 0.2
"""Accuracy that another order must gain before the one at hand is doubted."""
NO_CLASS = -1
_SHOWN = 8

Order = Sequence[int]
"""The class of each number."""


def sorted_order(photos: Sequence[ClassLabel]) -> list[int]:
    """Return the classes as torchvision's ImageFolder and Keras number them: folders as text."""
    return sorted(range(len(photos)), key=lambda index: photos[index].label)


def given_order(lines: Sequence[str], classes: Classes, file: Path) -> list[int]:
    """Return the photos' classes in the order of a file, `NO_CLASS` for one without photos.

    Raises:
        UserError: for a class that comes twice, and where not one is the photos'.
    """
    first_lines: dict[str | int, int] = {}
    order: list[int] = []
    for number, line in enumerate(lines, start=1):
        where = f"--class-order: {shown(file)}, line {number}"
        index = classes.find(line, where)
        before = first_lines.setdefault(line if index is None else index, number)
        if before != number:
            raise UserError(
                f"{where}: {shown(line)} was there before, in line {before}. Write each class once."
            )
        order.append(NO_CLASS if index is None else index)
    if all(index == NO_CLASS for index in order):
        raise UserError(
            f"--class-order: {shown(file)}: no line is a class of the photos. "
            f"{classes.hint(lines[0])}"
        )
    return order


def check_numbers(
    file: Path,
    order: Order,
    photos: Sequence[ClassLabel],
    numbers: Mapping[int, int],
    true: Mapping[int, int],
    count: int,
    *,
    given: bool,
) -> str | None:
    """Check that an order fits the numbers of a file, and return a doubt that does not forbid it.

    `numbers` are the predicted numbers and `true` the classes of the same photos, by place;
    `count` is how many classes the file numbers; `given` says that a person gave the order.

    Raises:
        UserError: for numbers beyond the order, and where nobody gave it and another one explains
            the file far better.
    """
    best, accuracy = _best_other(order, photos, numbers, true)
    if count > len(order):
        hint = f" With {best} accuracy would be {accuracy:.2f}." if accuracy >= FAR_BETTER else ""
        what = "lines of --class-order" if given else "classes of the photos"
        raise UserError(
            f"{OPTION}: {shown(file)} numbers {counted(count, 'class')}, and the {what} are "
            f"{len(order)}.{hint} Give all classes in the classifier's order, one a line, with "
            "--class-order FILE."
        )
    share = _accuracy(order, numbers, true)
    if accuracy < share + FAR_BETTER:
        return None
    doubt = f"accuracy is {share:.2f} in this order of the classes, and {accuracy:.2f} with {best}"
    if given:
        return f"--class-order: {doubt}"
    raise UserError(
        f"{OPTION}: {shown(file)}: {doubt}. Give the classes in the classifier's order, one a "
        "line, with --class-order FILE."
    )


def describe_order(keys: Sequence[str], *, given: bool) -> str:
    """Say what the class numbers mean; `keys` are the classes in their order."""
    names = [f"{number} = {shown(key)}" for number, key in enumerate(keys[:_SHOWN])]
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    why = (
        "--class-order"
        if given
        else "folders sorted as torchvision and Keras do; --class-order FILE gives another"
    )
    return f"class numbers: {', '.join(names)}{more} ({why})"


def _best_other(
    order: Order,
    photos: Sequence[ClassLabel],
    numbers: Mapping[int, int],
    true: Mapping[int, int],
) -> tuple[str, float]:
    """Return the likely order that explains the numbers best, and the accuracy with it."""
    places = range(len(photos))
    by_text = sorted_order(photos)
    others = {
        "a background class first": [NO_CLASS, *order],
        "numbers that begin one later": list(order[1:]),
        "the folders in natural order": list(places),
        "the folders sorted as text": by_text,
        "the folders sorted without case": sorted(places, key=lambda i: photos[i].label.casefold()),
        "the classes sorted by name": sorted(places, key=lambda i: photos[i].name),
    }
    accuracies = {what: _accuracy(other, numbers, true) for what, other in others.items()}
    best = max(accuracies, key=lambda what: accuracies[what])
    return best, accuracies[best]


def _accuracy(order: Order, numbers: Mapping[int, int], true: Mapping[int, int]) -> float:
    right = sum(
        number < len(order) and order[number] == true[place] for place, number in numbers.items()
    )
    return right / max(1, len(numbers))
