"""From `--predictions` and its options to photos that carry what their classifier says."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset, Item, Prediction, scan
from mapcap.datasets.content import hash_file
from mapcap.datasets.names import read_names
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.classes import Classes
from mapcap.predictions.files import read_file, read_lines
from mapcap.predictions.heads import OPTION as HEAD
from mapcap.predictions.heads import names_beside
from mapcap.predictions.labels import Labels, label_photos, labels_of, predicted_labels
from mapcap.predictions.matching import Matched, match_paths
from mapcap.predictions.orders import (
    NO_CLASS,
    check_numbers,
    describe_order,
    given_order,
    sorted_order,
)
from mapcap.predictions.records import OPTION, Ranked, Scored, Table, numbered
from mapcap.predictions.scales import (
    TOP,
    Scale,
    from_best,
    from_matrix,
    scale_of_best,
    scale_of_matrix,
)
from mapcap.text import counted

Line = tuple[str, str | None]
"""A line to print, with its style: one with a style is a warning."""

_SCALES = {
    "probabilities": "scores are probabilities",
    "logits": "scores are logits; probabilities are their softmax",
    "scores": "scores do not sum to 1: they rank the classes, and probabilities are not known",
}
_BEST = {
    "probabilities": "scores of the best classes are probabilities",
    "logits": "scores of the best classes are logits: probabilities are not known",
}
_NO_SCORES = "no scores: probabilities, margins, calibration and label suspects are left out"
_UNLABELLED = (
    "no labels: classes are the predicted ones; accuracy, errors, confusions, calibration and "
    "label suspects are left out"
)


def digest(config: IndexConfig) -> str:
    """Return the SHA-256 of the files that predictions come from.

    Raises:
        UserError: naming the option of a file that cannot be read.
    """
    whole = hashlib.sha256()
    checkpoint = (config.classifier or "").partition("|")[2] or None
    for option, path in (
        (OPTION, config.predictions),
        ("--prediction-paths", config.prediction_paths),
        ("--class-order", config.class_order),
        (HEAD, config.class_weights),
        (HEAD, _beside(config.class_weights)),
        ("--classifier", checkpoint),
        ("--classifier", _beside(checkpoint)),
    ):
        if path is None:
            continue
        try:
            if Path(path).exists() and not Path(path).is_file():  # a pipe, a device: without end
                raise UserError(f"{option}: {shown(path)} cannot be read: it is no regular file.")
            whole.update(hash_file(Path(path)))
        except OSError as error:
            raise UserError(f"{option}: {shown(path)} cannot be read: {error.strerror}.") from error
    return whole.hexdigest()


def _beside(class_weights: str | None) -> str | None:
    """Return the file of class names beside class weights, where there is one."""
    if class_weights is None or not names_beside(Path(class_weights)).is_file():
        return None
    return str(names_beside(Path(class_weights)))


def scan_photos(config: IndexConfig) -> tuple[Dataset, Labels]:
    """Find a run's photos, and tell where their labels are.

    Where these are no folders, all photos are of one class, until the table has been read.

    Raises:
        UserError: for photos or a table that cannot be read.
    """
    labels = labels_of(config)
    labelled = labels == "folders"
    dataset = scan(
        config.photos,
        names=config.names if labelled else None,
        boxes=config.boxes,
        box_format=config.box_format,
        box_units=config.box_units,
        class_level=config.class_level,
        limit_per_class=config.limit_per_class if labelled else None,
        labelled=labelled,
    )
    return dataset, labels


def read_predictions(config: IndexConfig, dataset: Dataset) -> tuple[Dataset, list[Line]]:
    """Return the photos that the file speaks of, with its predictions, and what to say of it.

    Classes that only the predictions name come after those of the photos, without photos.

    Raises:
        UserError: for a file, a row, a path or a class that cannot be used, with what to do.
    """
    assert config.predictions is not None, "asked for where the configuration names a file"
    file = Path(config.predictions)
    paths = _path(config.prediction_paths)
    table = read_file(file, paths)
    named = f"{OPTION}: {shown(file)}" if paths is None else f"--prediction-paths: {shown(paths)}"
    matched = match_paths(file, table, dataset.items, Path(dataset.source), named)
    photos = len(dataset.items)
    labels = predicted_labels(config, file, table) if config.unlabelled else table.labels
    if labels is not None:
        dataset, matched = label_photos(config, labels, dataset, matched)
    names = {} if config.names is None else read_names(Path(config.names))
    classes = Classes(dataset.classes, names)
    lines = [_counts(file, table, matched, photos)]
    if table.labels is not None:
        lines.append((f"labels are those of {shown(file.name)}, column label", None))
    index, of_classes = _indices(config, file, table, matched, dataset, classes)
    lines += of_classes
    true = [None if config.unlabelled else item.class_index for item in dataset.items]
    predictions, scale = _predictions(table, matched, index, true)
    lines.append((scale, None))
    outside = classes.labels[len(dataset.classes) :]
    kept = [
        replace(item, prediction=predictions[place])
        for place, item in enumerate(dataset.items)
        if place in predictions
    ]
    lines += _outside(outside)
    lines.append((_UNLABELLED, None) if config.unlabelled else _accuracy(kept, dataset.classes))
    return replace(dataset, classes=tuple(classes.labels), items=tuple(kept)), lines


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _counts(file: Path, table: Table, matched: Matched, photos: int) -> Line:
    without = photos - len(matched.rows)
    parts = [f"{counted(len(table), 'row')}, {counted(len(matched.rows), 'photo')} matched"]
    if matched.strangers:
        parts.append(f"{counted(matched.strangers, 'row')} without a photo")
    if matched.doubled:
        parts.append(f"{counted(matched.doubled, 'row')} doubled")
    if without:
        parts.append(f"{counted(without, 'photo')} without a row left out")
    line = f"predictions: {shown(file.name)}: {', '.join(parts)}"
    return line, "yellow" if matched.strangers or matched.doubled or without else None


def _indices(
    config: IndexConfig,
    file: Path,
    table: Table,
    matched: Matched,
    dataset: Dataset,
    classes: Classes,
) -> tuple[dict[str, int], list[Line]]:
    """Return the class of each key of the file that any photo's best classes need."""
    keys = table.keys()
    named = not config.unlabelled and all(classes.holds(key) for key in keys)
    by_number = numbered(keys) and not named
    where = f"{OPTION}: {shown(file)}"
    if not by_number:
        if config.class_order is not None:
            raise UserError(
                f"--class-order: {where.removeprefix(f'{OPTION}: ')} names its classes and numbers "
                "none. Leave the option out."
            )
        if not any(classes.find(key, where) is not None for key in keys):
            raise UserError(
                f"{where}: no class of it is one of the photos', such as {shown(keys[0])}. "
                f"{classes.hint(keys[0])} Give other names with --names FILE, or say --unlabelled "
                "if no folder is a class."
            )
        return _resolved(keys, _needed(table, matched), classes, where), []
    given = config.class_order is not None
    order = sorted_order(dataset.classes)
    ordered = [dataset.classes[index].label for index in order]
    if config.class_order is not None:
        order_file = Path(config.class_order)
        ordered = read_lines(order_file, "--class-order")
        order = given_order(ordered, classes, order_file)
    numbers = {place: int(table.best(row)) for place, row in matched.rows.items()}
    true = {place: dataset.items[place].class_index for place in numbers}
    count = max(map(int, keys)) + 1
    doubt = check_numbers(file, order, dataset.classes, numbers, true, count, given=given)
    lines: list[Line] = [(describe_order(ordered, given=given), None)]
    if doubt is not None:
        lines.append((doubt, "yellow"))
    names = {key: ordered[int(key)] for key in keys}
    needed = [names[key] for key in _needed(table, matched)]
    indices = _resolved(list(names.values()), needed, classes, where)
    return {key: indices[name] for key, name in names.items() if name in indices}, lines


def _resolved(
    keys: Sequence[str], needed: Sequence[str], classes: Classes, where: str
) -> dict[str, int]:
    """Return the class of each key; what is no class of the photos and not needed is left out."""
    indices = {key: classes.add(key, where) for key in needed}
    for key in keys:
        index = classes.find(key, where)
        if index is not None:
            indices[key] = index
    return indices


def _needed(table: Table, matched: Matched) -> list[str]:
    """Return the keys of the best classes of all matched rows, those of the file's order first."""
    rows = list(matched.rows.values())
    if isinstance(table, Ranked):
        return list(dict.fromkeys(key for row in rows for key in table.classes[row][:TOP]))
    best = np.argsort(-table.values[rows], axis=1, kind="stable")[:, :TOP]
    return [table.columns[column] for column in np.unique(best).tolist()]


def _predictions(
    table: Table, matched: Matched, index: dict[str, int], true: Sequence[int | None]
) -> tuple[dict[int, Prediction], str]:
    """Return the prediction of each photo by place, and what the scores are.

    `true` are the classes of the photos, None where nobody knows them.
    """
    if isinstance(table, Scored):
        # A column that is among no photo's best may be of no class of the run.
        columns = [index.get(key, NO_CLASS) for key in table.columns]
        kind = scale_of_matrix(table.values)
        return {
            place: from_matrix(table, kind, row, columns, true[place])
            for place, row in matched.rows.items()
        }, _SCALES[kind]
    scale: Scale | None = None if table.scores is None else scale_of_best(table.scores or [])
    return {
        place: from_best(table, scale, row, [index[key] for key in table.classes[row]], true[place])
        for place, row in matched.rows.items()
    }, _NO_SCORES if scale is None else _BEST[scale]


def _outside(classes: Sequence[ClassLabel]) -> list[Line]:
    """Name the classes that are predicted and have no photos."""
    if not classes:
        return []
    named = ", ".join(shown(class_label.label) for class_label in classes[:5])
    more = f" and {len(classes) - 5} more" if len(classes) > 5 else ""
    what = counted(len(classes), "predicted class", "predicted classes")
    return [(f"{what} without photos: {named}{more}", None)]


def _accuracy(items: Sequence[Item], classes: Sequence[ClassLabel]) -> Line:
    right = sum(
        item.prediction is not None and item.prediction.top[0][0] == item.class_index
        for item in items
    )
    share, chance = right / len(items), 1 / len(classes)
    line = f"accuracy {share:.3f}: {right:,} of {len(items):,} predictions are right"
    if len(classes) > 1 and share < chance:
        below = f"below chance ({chance:.3f}): are rows, classes and their order right?"
        return f"{line}, {below}", "yellow"
    return line, None
