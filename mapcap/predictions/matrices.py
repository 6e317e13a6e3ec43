"""Matrices of scores: N images x K classes, as numpy and safetensors store them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.records import OPTION, Ranked, Scored, Table

MATRICES = frozenset({".npy", ".npz", ".safetensors"})
_CLASSES, _PATHS = "classes", "paths"


def read_matrix(file: Path, paths: Sequence[str] | None) -> Table:
    """Read scores (N, K), or class numbers (N,), with the photos' `paths`.

    An .npz may hold `paths` and `classes` itself, a .safetensors `classes` as JSON in its metadata.

    Raises:
        UserError: for a file that cannot be read, other shapes, values that are not finite, and
            rows without paths.
    """
    arrays, classes = read_arrays(file, OPTION)
    held = {key: value for key, value in arrays.items() if key not in (_CLASSES, _PATHS)}
    if len(held) != 1:
        raise UserError(
            f"{OPTION}: {shown(file)} holds {len(held)} arrays ({shown(', '.join(held))[:100]}). "
            "Expected one: scores (images, classes)."
        )
    (values,) = held.values()
    if paths is None and _PATHS in arrays:
        paths = [str(path) for path in arrays[_PATHS].tolist()]
    if paths is None:
        raise UserError(
            f"{OPTION}: {shown(file)} names no photos: give --prediction-paths FILE, one path a "
            "line."
        )
    shape = " x ".join(map(str, values.shape))
    if len(values.shape) not in (1, 2) or not values.size or values.dtype.kind not in "fiu":
        raise UserError(
            f"{OPTION}: {shown(file)} is {shape or 'one number'} of {values.dtype}. Expected "
            "scores, images x classes, or one class number an image."
        )
    if len(paths) != len(values):
        raise UserError(
            f"--prediction-paths: {len(paths):,} paths for the {len(values):,} rows of "
            f"{shown(file)}. Give one a row."
        )
    places = [f"row {row}" for row in range(len(values))]
    if values.ndim == 1:
        if values.dtype.kind == "f" and (values % 1 != 0).any():
            raise UserError(f"{OPTION}: {shown(file)}: one number an image is a class number.")
        return Ranked(paths, places, [[str(int(value))] for value in values], None)
    numbers = values.astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(numbers).all(1))
    if len(broken):
        raise UserError(
            f"{OPTION}: {shown(file)}, row {broken[0]} (from 0), {shown(paths[broken[0]])}: a "
            "score is not finite. Write it again without NaN and infinity."
        )
    if classes is None and _CLASSES in arrays:
        classes = [str(each) for each in arrays[_CLASSES].tolist()]
    if classes is not None and len(classes) != numbers.shape[1]:
        raise UserError(
            f"{OPTION}: {shown(file)}: {len(classes)} names for {numbers.shape[1]} columns."
        )
    columns = classes or [str(column) for column in range(numbers.shape[1])]
    return Scored(paths, places, columns, numbers)


def read_arrays(file: Path, option: str) -> tuple[dict[str, NDArray[Any]], list[str] | None]:
    """Return the arrays of a file by name, and the class names of its metadata.

    Raises:
        UserError: naming the option, for a file that cannot be read as what its ending says.
    """
    try:
        if file.suffix.lower() == ".safetensors":
            return _safetensors(file, option)
        # Pickled objects are refused: they can carry code.
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"scores": loaded}, None
        with loaded:
            return {name: loaded[name] for name in loaded.files}, None
    except UserError:
        raise
    except Exception as error:  # the readers raise nearly anything on hostile files
        raise UserError(
            f"{option}: {shown(file)} cannot be read as {file.suffix[1:]}: "
            f"{shown(str(error))[:150]}. Write it again with numpy.save or safetensors."
        ) from error


def _safetensors(file: Path, option: str) -> tuple[dict[str, NDArray[Any]], list[str] | None]:
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise UserError(
            f"{option}: {shown(file)} needs safetensors: pip install 'mapcap[index]'."
        ) from error
    with safe_open(file, framework="numpy") as opened:
        notes = opened.metadata() or {}
        names = json.loads(notes[_CLASSES]) if _CLASSES in notes else None
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    return arrays, None if names is None else [str(name) for name in names]
