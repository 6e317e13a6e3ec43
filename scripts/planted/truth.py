"""`truth.json`: what is planted where, in a form that any language reads."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mapcap.errors import UserError
from mapcap.text import clean
from scripts.planted.plan import Fault, Picture, Plan
from scripts.planted.render import SIZE, Rendered
from scripts.rendering.compose import Box

TRUTH: Final = "truth.json"
VERSION: Final = 2


@dataclass(frozen=True)
class ClassTruth:
    """What is planted in a class, the words that would name it, and its partner in a confusion."""

    fault: Fault | None
    words: tuple[str, ...]
    partner: str | None


@dataclass(frozen=True)
class ImageTruth:
    """The truth of an image; boxes are half-open, x0, y0, x1, y1 in pixels.

    `mask` is the object's, as run lengths: the pixels in reading order, first how many are not
    the object, then how many are, and so on.
    """

    label: str
    true_class: str
    wrong_label: bool
    train_like: bool
    dark: bool
    box: Box
    mask: tuple[int, ...]
    mark: Box | None
    cutout: str
    background: str


@dataclass(frozen=True)
class Truth:
    """The truth of a rendered folder: classes by name, images by their path below the folder."""

    seed: int
    size: int
    classes: dict[str, ClassTruth]
    images: dict[str, ImageTruth]

    def object_mask(self, path: str) -> npt.NDArray[np.bool_]:
        """Return the object's mask of an image: (size, size)."""
        return unpacked(self.images[path].mask, self.size)

    def mark_mask(self, path: str) -> npt.NDArray[np.bool_]:
        """Return the box of an image's mark as a mask (size, size), empty if it has none."""
        mask = np.zeros((self.size, self.size), dtype=bool)
        if (box := self.images[path].mark) is not None:
            x0, y0, x1, y1 = box
            mask[y0:y1, x0:x1] = True
        return mask


def class_truths(plan: Plan) -> dict[str, ClassTruth]:
    """Return the truth of every class of a plan."""
    names = sorted({picture.label for picture in plan.pictures})
    pair = [name for name in names if plan.fault(name) == "confusion"]
    partners = dict(zip(pair, reversed(pair), strict=True))
    return {
        name: ClassTruth(plan.fault(name), plan.words(name), partners.get(name)) for name in names
    }


def image_truth(picture: Picture, rendered: Rendered) -> ImageTruth:
    """Return the truth of a rendered picture."""
    return ImageTruth(
        label=picture.label,
        true_class=picture.shown,
        wrong_label=picture.shown != picture.label,
        train_like=picture.train_like,
        dark=picture.dark,
        box=rendered.box,
        mask=packed(rendered.mask),
        mark=rendered.mark,
        cutout=picture.cutout,
        background=picture.background,
    )


def packed(mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Return a mask (H, W) as run lengths, the first of pixels that are not in it."""
    flat = np.concatenate([[False], mask.ravel(), [not mask.flat[-1]]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])  # where each run ends
    return tuple(np.diff(edges, prepend=0).tolist())


def unpacked(runs: Sequence[int], size: int) -> npt.NDArray[np.bool_]:
    """Return the mask (size, size) of run lengths.

    Raises:
        UserError: if they do not fill it.
    """
    if any(run < 0 for run in runs) or sum(runs) != size * size:
        raise UserError(f"a mask's run lengths do not fill {size} x {size} pixels")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(size, size)


def write_truth(path: Path, truth: Truth) -> None:
    """Write the truth as JSON: one line for each class and image, always in the same order."""
    lines = [f'{{"version": {VERSION}, "seed": {truth.seed}, "size": {truth.size},']
    lines += ['"classes": {', ",\n".join(_entries(truth.classes)), "},"]
    lines += ['"images": {', ",\n".join(_entries(truth.images)), "}}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _entries(records: dict[str, Any]) -> list[str]:
    return [f"{json.dumps(name)}: {json.dumps(asdict(records[name]))}" for name in sorted(records)]


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote.

    Raises:
        UserError: if it cannot be read, or is of another form.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] != VERSION or stored["size"] != SIZE:
            raise ValueError(f"version {stored['version']}, size {stored['size']}")
        classes = {name: ClassTruth(**_tuples(row)) for name, row in stored["classes"].items()}
        images = {name: ImageTruth(**_tuples(row)) for name, row in stored["images"].items()}
        return Truth(int(stored["seed"]), SIZE, classes, images)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = clean(str(error))[:200]
        raise UserError(
            f"{path} is no truth.json of `mapcap sample --planted` ({reason}): render it again"
        ) from error


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
