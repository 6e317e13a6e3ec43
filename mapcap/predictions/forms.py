"""The forms in which tools write predictions: which columns say what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mapcap.datasets.cells import number, text_of
from mapcap.datasets.columns import PATH
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.cells import listed, name
from mapcap.predictions.records import OPTION, Ranked, Scored, Table

_SURE = ("confidence", "probability", "prob", "score")
_ALL = ("probabilities", "probs", "prob", "logits", "logit", "scores")
_RESULTS = ("prediction", "predictions", "results", "result")

_NAMED = (*_RESULTS, "top1")

Row = tuple[str, Mapping[str, Any]]
"""A place in the file and the cells by column."""
_Best = Callable[[Mapping[str, Any], str], tuple[list[str], list[float] | None]]


def read_table(file: Path, rows: Iterable[Row], paths: Sequence[str] | None) -> Table:
    """Read rows in whatever form they are; `paths` name them where no column does.

    The forms: `prediction` with `confidence` or without; `top1`, `prob1`, `top2` ...; timm's
    `index`, `label`, `prob` or `logit`, alone, in lists or as `label_0`; transformers' lists of
    label and score; a list of all scores; one column for each class.

    Raises:
        UserError: naming file and line, for columns or cells that cannot be read.
    """
    listed_rows = list(rows)
    if not listed_rows:
        raise UserError(f"{OPTION}: {shown(file)} has no rows. Write one row an image.")
    columns = list(listed_rows[0][1])
    folded = {column.lower(): column for column in columns}
    path = next((folded[each] for each in PATH if each in folded), None)
    if path is None and paths is None:
        raise UserError(
            f"{OPTION}: {shown(file)}: no column path; it has {_named(columns)}. Add it, or name "
            "the photo of each row with --prediction-paths FILE."
        )
    if paths is not None and len(paths) != len(listed_rows):
        raise UserError(
            f"--prediction-paths: {len(paths):,} paths for the {len(listed_rows):,} rows of "
            f"{shown(file)}. Give one a row."
        )
    places = [place for place, _ in listed_rows]
    cells = [
        _complete(values, columns, f"{OPTION}: {shown(file)}, {place}")
        for place, values in listed_rows
    ]
    names = list(paths) if paths is not None else [str(each[path or ""]).strip() for each in cells]
    where = [f"{OPTION}: {shown(file)}, {place}" for place in places]
    best = _best(folded, cells[0])
    labels = _labels(folded, cells, where, scored=best is None)
    if best is not None:
        pairs = [best(each, at) for each, at in zip(cells, where, strict=True)]
        scores = [score for _, score in pairs if score is not None]
        return Ranked(
            names,
            places,
            [keys for keys, _ in pairs],
            scores if len(scores) == len(pairs) else None,
            labels,
        )
    return replace(_scored(file, folded, path, names, places, cells, where), labels=labels)


def _labels(
    folded: Mapping[str, str],
    cells: Sequence[Mapping[str, Any]],
    where: Sequence[str],
    *,
    scored: bool,
) -> list[str] | None:
    """Return the true classes; where nothing else names a prediction, `label` is timm's."""
    if "label" not in folded or not (scored or any(each in folded for each in _NAMED)):
        return None
    labels = [text_of(each[folded["label"]]) for each in cells]
    for label, at in zip(labels, where, strict=True):
        if not label:
            raise UserError(f"{at}: the label must not be empty.")
    return labels


def _complete(values: Mapping[str, Any], columns: Sequence[str], where: str) -> Mapping[str, Any]:
    missing = [column for column in columns if column not in values]
    if missing:
        raise UserError(f"{where}: no {_named(missing)}, which the first row has. Add it.")
    return values


def _named(columns: Sequence[str]) -> str:
    return shown(", ".join(columns))[:200] or "nothing"


def _best(folded: Mapping[str, str], first: Mapping[str, Any]) -> _Best | None:
    """Return what reads the best classes of a row; None where all classes have a score."""
    result = next((folded[each] for each in _RESULTS if each in folded), None)
    if result is not None and _is_result(first[result]):
        return lambda cells, at: _pipeline(cells[result], at)
    if "prediction" in folded:
        sure = next((folded[each] for each in _SURE if each in folded), None)
        return _single(folded["prediction"], sure)
    if "top1" in folded:
        return _numbered(folded, "top{}", ("prob{}", "confidence{}", "score{}"), 1)
    for key in ("label_0", "index_0"):
        if key in folded:
            return _numbered(folded, key[:-1] + "{}", ("prob_{}", "logit_{}"), 0)
    score = next((folded[each] for each in ("prob", "logit") if each in folded), None)
    key = next((each for each in ("label", "index") if each in folded), "")
    if key == "index" or (key and score is not None):
        return _lists(folded[key], score)
    return None


def _is_result(cell: Any) -> bool:
    return isinstance(cell, list) and bool(cell) and isinstance(cell[0], Mapping)


def _pipeline(cell: Any, where: str) -> tuple[list[str], list[float]]:
    """Read a list of label and score, as the pipelines of transformers give it."""
    if not _is_result(cell) or not all(
        isinstance(each, Mapping) and {"label", "score"} <= each.keys() for each in cell
    ):
        raise UserError(f"{where}: expected a list of objects with label and score.")
    return _ordered(
        [name(each["label"], where) for each in cell],
        [number(each["score"], where) for each in cell],
    )


def _single(column: str, sure: str | None) -> _Best:
    def read(cells: Mapping[str, Any], where: str) -> tuple[list[str], list[float] | None]:
        key = name(cells[column], where)
        if sure is None or cells[sure] in ("", None):
            return [key], None
        value = number(cells[sure], f"{where}, column {shown(sure)}")
        if not 0 <= value <= 1:
            raise UserError(f"{where}: {sure} is a probability from 0 to 1, not {value:g}.")
        return [key], [value]

    return read


def _numbered(folded: Mapping[str, str], classes: str, scores: Sequence[str], first: int) -> _Best:
    """Read one column for each place, and one for its score."""
    keys, beside = [], []
    place = first
    while classes.format(place) in folded:
        keys.append(folded[classes.format(place)])
        beside += [folded[s.format(place)] for s in scores if s.format(place) in folded][:1]
        place += 1

    def read(cells: Mapping[str, Any], where: str) -> tuple[list[str], list[float] | None]:
        names = [name(cells[key], where) for key in keys]
        if len(beside) < len(keys):
            return names, None
        return _ordered(
            names, [number(cells[key], f"{where}, column {shown(key)}") for key in beside]
        )

    return read


def _lists(column: str, score: str | None) -> _Best:
    """Read timm's columns: a class or a list of classes, and as many scores."""

    def read(cells: Mapping[str, Any], where: str) -> tuple[list[str], list[float] | None]:
        names = [name(each, where) for each in listed(cells[column])]
        if score is None:
            return names, None
        at = f"{where}, column {shown(score)}"
        values = [number(each, at) for each in listed(cells[score])]
        if len(values) != len(names):
            raise UserError(f"{where}: {len(names)} classes with {len(values)} scores.")
        return _ordered(names, values)

    return read


def _ordered(names: list[str], scores: list[float]) -> tuple[list[str], list[float]]:
    order = sorted(range(len(names)), key=lambda place: -scores[place])
    return [names[place] for place in order], [scores[place] for place in order]


def _scored(
    file: Path,
    folded: Mapping[str, str],
    path: str | None,
    names: Sequence[str],
    places: Sequence[str],
    cells: Sequence[Mapping[str, Any]],
    where: Sequence[str],
) -> Scored:
    """Read a score for each class: from one list, or from one column for each."""
    reserved = {"label", "class", "x0", "y0", "x1", "y1"}
    # Two classes may differ in case alone.
    rest = [each for each in cells[0] if each != path and each.lower() not in reserved]
    whole = next((folded[each] for each in _ALL if each in folded), None)
    if len(rest) == 1 and whole is not None:
        values = [
            [number(each, at) for each in listed(row[whole])]
            for row, at in zip(cells, where, strict=True)
        ]
        for row, at in zip(values, where, strict=True):
            if len(row) != len(values[0]):
                raise UserError(f"{at}: {len(row)} scores, and {len(values[0])} in the first row.")
        rest = [str(place) for place in range(len(values[0]))]
    elif len(rest) < 2:
        raise UserError(
            f"{OPTION}: {shown(file)}: no column prediction; it has {_named(list(folded.values()))}"
            ". Expected path,prediction, or path,top1,prob1,top2,prob2, or path and one column "
            "of scores for each class."
        )
    else:
        values = [
            [number(row[column], f"{at}, column {shown(column)}") for column in rest]
            for row, at in zip(cells, where, strict=True)
        ]
    return Scored(names, places, rest, np.array(values, np.float64))
