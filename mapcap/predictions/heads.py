"""`--class-weights`: a linear head on the CLIP's image features, read and matched with classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel, Dataset
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.files import read_lines
from mapcap.predictions.matrices import read_arrays
from mapcap.predictions.rows import Outputs, match_outputs, output_of_each
from mapcap.text import counted

OPTION = "--class-weights"
_ENDINGS = (".safetensors", ".npy")


@dataclass(frozen=True, eq=False)
class HeadFile:
    """What a file of class weights holds, in its own order of the classes."""

    weights: NDArray[np.float32]
    """(K, D)"""
    bias: NDArray[np.float32] | None
    """(K,)"""
    names: list[str] | None
    """The classes of its rows; None where the file only numbers them."""

    @property
    def shape(self) -> str:
        """Classes x width, to show."""
        return " x ".join(map(str, self.weights.shape))


def names_beside(file: Path) -> Path:
    """Return where the class names of a file may lie: a text of the same name."""
    return file.with_suffix(".txt")


def read_head(file: Path) -> HeadFile:
    """Read weights (K, D) and perhaps a bias (K,), told by their shapes, and the names of classes.

    The names stand as a JSON list under `classes` in a safetensors file's metadata, or one a line
    in a text of the same name beside.

    Raises:
        UserError: for a file that is missing or unreadable, other shapes, values that are not
            finite, and names that are not as many as the rows.
    """
    where = f"{OPTION}: {shown(file)}"
    if not file.is_file():
        raise UserError(f"{where}: there is no such file. Check the path.")
    if file.suffix.lower() not in _ENDINGS:
        raise UserError(f"{where}: the name ends in neither {' nor '.join(_ENDINGS)}.")
    arrays, names = read_arrays(file, OPTION)
    matrices = [array for array in arrays.values() if array.ndim == 2]
    vectors = [array for array in arrays.values() if array.ndim == 1]
    if len(matrices) != 1 or len(vectors) > 1 or len(arrays) > len(matrices) + len(vectors):
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise UserError(
            f"{where} holds {shown(held)[:150]}. Expected weights, classes x width, and at most a "
            "bias, one number a class."
        )
    weights = _finite(matrices[0], where, "weights")
    bias = _finite(vectors[0], where, "bias") if vectors else None
    if bias is not None and len(bias) != len(weights):
        raise UserError(
            f"{where}: a bias of {len(bias)} for {counted(len(weights), 'class')}. Write one "
            "number a class."
        )
    beside = names_beside(file)
    if names is None and beside.is_file():
        names = read_lines(beside, OPTION)
    if names is not None and len(names) != len(weights):
        raise UserError(
            f"{where}: {len(names)} names for {len(weights)} rows of weights.{_binary(weights)}"
        )
    return HeadFile(weights, bias, names)


def match_head(config: IndexConfig, dataset: Dataset) -> tuple[Dataset, list[tuple[str, None]]]:
    """Return the photos with the head's classes, and what to say of it.

    Raises:
        UserError: for a head that cannot be used with the photos' classes, with what to do.
    """
    file, head = _read(config)
    dataset, lines = match_outputs(_outputs(file, head), config, dataset)
    what = (
        f"predictions: {shown(file.name)}: {head.shape}{'' if head.bias is None else ' and a bias'}"
    )
    return dataset, [(line, None) for line in (what, *lines)]


def rows_of(
    config: IndexConfig, classes: Sequence[ClassLabel]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return the head's weights (K, D) and bias (K,) in the order of a run's classes.

    Raises:
        UserError: for a file that is no longer what the run was begun with.
    """
    file, head = _read(config)
    order = output_of_each(_outputs(file, head), config, classes)
    return head.weights[order], None if head.bias is None else head.bias[order]


def check_width(config: IndexConfig, width: int) -> None:
    """Check that the head is one on features of this width.

    Raises:
        UserError: naming both widths.
    """
    file, head = _read(config)
    if head.weights.shape[1] != width:
        raise UserError(
            f"{OPTION}: {shown(file)} is {head.shape} (classes x width), and the features of "
            f"--model {config.model} have width {width}. Give the --model that it was trained on."
        )


def _read(config: IndexConfig) -> tuple[Path, HeadFile]:
    assert config.class_weights is not None, "asked for where the configuration names a file"
    file = Path(config.class_weights)
    return file, read_head(file)


def _outputs(file: Path, head: HeadFile) -> Outputs:
    names = None if head.names is None else [[name] for name in head.names]
    advice = f"Name them in {names_beside(file).name}, one a line.{_binary(head.weights)}"
    return Outputs(f"{OPTION}: {shown(file)}", len(head.weights), names, advice)


def _finite(array: NDArray[np.generic], where: str, what: str) -> NDArray[np.float32]:
    if array.dtype.kind not in "fiu" or not array.size:
        raise UserError(f"{where}: the {what} are {array.dtype} {array.shape}, and no numbers.")
    with np.errstate(over="ignore"):
        numbers = array.astype(np.float32)
    broken = np.argwhere(~np.isfinite(numbers))
    if len(broken):
        at = ", ".join(map(str, broken[0].tolist()))
        raise UserError(f"{where}: the {what} at {at} are not finite. Train the head again.")
    return numbers


def _binary(weights: NDArray[np.float32]) -> str:
    """Return what to do about the single row that libraries write for two classes."""
    if len(weights) != 1:
        return ""
    return " One row for two classes is the second's: write zeros as the row of the first."
