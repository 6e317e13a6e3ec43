"""The classes of photos that lie in no class folders: by labels in the table, or as predicted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mapcap.config import IndexConfig
from mapcap.datasets import SAMPLE, Dataset, Item
from mapcap.datasets.layouts import is_flat
from mapcap.datasets.records import composed, natural, shown
from mapcap.datasets.scan import class_labels
from mapcap.errors import UserError
from mapcap.predictions.files import read_file, read_lines
from mapcap.predictions.matching import Matched
from mapcap.predictions.records import OPTION, Table, numbered

Labels = Literal["folders", "table", "none"]
"""Where the true classes of photos come from; folders are the layout or the manifest of PHOTOS."""


def labels_of(config: IndexConfig) -> Labels:
    """Return where the labels of a run's photos are.

    Raises:
        UserError: for a table that cannot be read, and for options that contradict it.
    """
    if config.predictions is None:
        return "folders"
    file, paths = Path(config.predictions), config.prediction_paths
    if read_file(file, None if paths is None else Path(paths)).labels is not None:
        for given, option in (
            (config.class_level is not None, "--class-level"),
            (config.unlabelled, "--unlabelled"),
        ):
            if given:
                raise UserError(
                    f"{option}: the classes are column label of {shown(file)}. Leave the option "
                    "out."
                )
        return "table"
    source = Path(config.photos)
    unasked = config.class_level is None and config.photos != SAMPLE and source.is_dir()
    return "none" if config.unlabelled or (unasked and is_flat(source, file)) else "folders"


def predicted_labels(config: IndexConfig, file: Path, table: Table) -> list[str]:
    """Return what each row's photo is predicted as: its class, where nobody says which it is.

    Raises:
        UserError: for class numbers that nobody names.
    """
    if not numbered(table.keys()):
        return [table.best(row) for row in range(len(table))]
    if config.class_order is None:
        raise UserError(
            f"{OPTION}: {shown(file)} numbers its classes, and photos without labels have no "
            "folders that these could be. Give all classes in the classifier's order, one a line, "
            "with --class-order FILE."
        )
    lines = read_lines(Path(config.class_order), "--class-order")
    numbers = [int(table.best(row)) for row in range(len(table))]
    highest = max(numbers)
    if highest >= len(lines):
        raise UserError(
            f"{OPTION}: {shown(file)}, {table.places[numbers.index(highest)]} predicts class "
            f"{highest}, and --class-order names {len(lines)}, from 0 on. Give all classes."
        )
    return [lines[number] for number in numbers]


def label_photos(
    config: IndexConfig, labels: Sequence[str], dataset: Dataset, matched: Matched
) -> tuple[Dataset, Matched]:
    """Return the photos that have a row, by the classes of their `labels`, and their rows.

    `labels` are those of the rows. Classes are in natural order, and --limit-per-class is theirs.

    Raises:
        UserError: for labels without a name in --names.
    """
    label_of = {place: composed(labels[row]) for place, row in matched.rows.items()}
    order = sorted(set(label_of.values()), key=lambda label: (natural(label), label))
    classes = class_labels(order, {}, None if config.names is None else Path(config.names))
    index_of = {label: index for index, label in enumerate(order)}
    kept, items, rows = Counter[int](), list[Item](), dict[int, int]()
    # Places are in natural order of paths, which a stable sort keeps within a class.
    for place in sorted(sorted(label_of), key=lambda place: index_of[label_of[place]]):
        index = index_of[label_of[place]]
        if config.limit_per_class is None or kept[index] < config.limit_per_class:
            kept[index] += 1
            rows[len(items)] = matched.rows[place]
            items.append(replace(dataset.items[place], class_index=index))
    return replace(dataset, classes=classes, items=tuple(items)), replace(matched, rows=rows)
