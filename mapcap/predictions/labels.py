"""Labels that stand beside the predictions: the classes of photos that lie in no class folders."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, Item
from mapcap.datasets.records import composed, natural
from mapcap.datasets.scan import class_labels
from mapcap.predictions.matching import Matched


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
