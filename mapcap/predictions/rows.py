"""The K outputs of a person's head or network, and the classes that they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset
from mapcap.datasets.names import read_names
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.classes import Classes
from mapcap.predictions.files import read_lines
from mapcap.predictions.orders import describe_order, sorted_order
from mapcap.text import counted

Names = Sequence[Sequence[str]]
"""What each output may be called, the surest name first: a WordNet id, then its words."""


@dataclass(frozen=True)
class Outputs:
    """The outputs of a head or a network as its file or library describes them."""

    where: str
    """The option and the file, as messages begin."""
    count: int
    names: Names | None
    """None where the outputs are only numbered."""
    advice: str
    """How to name them."""


def match_outputs(
    outputs: Outputs, config: IndexConfig, dataset: Dataset
) -> tuple[Dataset, list[str]]:
    """Return the photos with all classes of the outputs, and what to say of these.

    Classes that only the outputs have come after those of the photos, without photos.

    Raises:
        UserError: for outputs that do not fit the photos' classes, with what to do.
    """
    names = _named(outputs, config, dataset.classes)
    rows = _rows(outputs, names, config, dataset.classes)
    classes = _classes(config, dataset.classes)
    taken = set(rows.values())
    for row, of_row in enumerate(names):
        if row not in taken:
            classes.add(_label(of_row, classes), outputs.where)
    lines = []
    if outputs.names is None:
        keys = [each[0] for each in names]
        lines.append(describe_order(keys, given=config.class_order is not None))
    without = len(classes.labels) - len(dataset.classes)
    if without:
        lines.append(f"{counted(without, 'class', 'classes')} without photos")
    return replace(dataset, classes=tuple(classes.labels)), lines


def output_of_each(
    outputs: Outputs, config: IndexConfig, classes: Sequence[ClassLabel]
) -> list[int]:
    """Return the output of each class of a run.

    Raises:
        UserError: for outputs that are no longer what the run was begun with.
    """
    rows = _rows(outputs, _named(outputs, config, classes), config, classes)
    return [rows[index] for index in range(len(classes))]


def _named(outputs: Outputs, config: IndexConfig, classes: Sequence[ClassLabel]) -> Names:
    """Return what each output is called: by itself, --class-order, or the folders as sorted."""
    if outputs.names is not None:
        if config.class_order is not None:
            raise UserError(
                f"--class-order: {outputs.where} names its classes and numbers none. Leave the "
                "option out."
            )
        return outputs.names
    if config.class_order is not None:
        names = read_lines(Path(config.class_order), "--class-order")
    else:
        names = [classes[index].label for index in sorted_order(classes)]
    if len(names) != outputs.count:
        what = "the photos have" if config.class_order is None else "--class-order has"
        raise UserError(
            f"{outputs.where} has {counted(outputs.count, 'class')} and no names of them, and "
            f"{what} {len(names)}. {outputs.advice}"
        )
    return [[name] for name in names]


def _rows(
    outputs: Outputs, names: Names, config: IndexConfig, photos: Sequence[ClassLabel]
) -> dict[int, int]:
    """Return the output of each class by its place: the surest names are asked first."""
    classes = _classes(config, photos)
    rows: dict[int, int] = {}
    waiting = set(range(len(names)))
    for level in range(max(map(len, names))):
        claimed: dict[int, int] = {}
        for row in sorted(waiting):
            index = (
                classes.find(names[row][level], outputs.where) if level < len(names[row]) else None
            )
            if index is None or index in rows:
                continue
            before = claimed.setdefault(index, row)
            if before != row:
                raise UserError(
                    f"{outputs.where}: {shown(names[before][0])} and {shown(names[row][0])} both "
                    f"mean the class {shown(photos[index].label)}. Write one of them as another."
                )
        rows |= claimed
        waiting -= set(claimed.values())
    missing = [each.label for index, each in enumerate(photos) if index not in rows]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        few = ", ".join(each[-1] for each in names[:3])
        raise UserError(
            f"{outputs.where} has no class {shown(', '.join(missing[:3]))}{more}; it has "
            f"{shown(few)} ... Give other names with --names FILE."
        )
    return rows


def _label(names: Sequence[str], classes: Classes) -> str:
    """Return what a class without photos is called: in words, unless they mean another one.

    It is one of its names, by which the same output is found again.
    """
    wordy = names[min(1, len(names) - 1)]
    return wordy if classes.find(wordy, "") is None else names[0]


def _classes(config: IndexConfig, classes: Sequence[ClassLabel]) -> Classes:
    return Classes(classes, {} if config.names is None else read_names(Path(config.names)))
