"""Reading weights from files that are not trusted, and the int8 form of the embedded networks."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mapcap.datasets.content import first_bytes
from mapcap.errors import UserError
from mapcap.networks.failures import describe
from mapcap.networks.torchscript import is_torchscript, read_torchscript
from mapcap.networks.weight_files import fault_of, is_safetensors

SCALE = ".scale"
"""Suffix of the tensor that holds one factor per row of the int8 tensor before it."""

_STEPS = 127
_TINY = torch.finfo(torch.float32).tiny
_STATE = "state_dict"
_PARALLEL = "module."
"""What `DataParallel` puts before every name."""


@dataclass(frozen=True)
class Outline:
    """What a file of weights holds, but for the numbers."""

    shapes: Mapping[str, tuple[int, ...]]
    notes: Mapping[str, str]
    """Metadata of a safetensors file; in a pickle the strings beside its `state_dict`."""


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """Read named tensors from safetensors, or from a pickle (`.pt`, `.bin`) of plain tensors.

    Which of them a file is, its first bytes say, not its name.
    An int8 tensor `NAME` (rows, ...) with a float companion `NAME.scale` (rows,) is widened to
    float32 and the companion dropped; every other tensor comes as stored. A pickle may hold them
    under `state_dict`, and all their names may begin with `module.`. No code that a pickle may
    carry is run.

    Raises:
        UserError: the file is missing, damaged, or holds more than tensors.
    """
    path = _existing(path)
    if is_safetensors(first_bytes(path)):
        try:
            return _widen(load_file(path), path)
        except SafetensorError as error:
            raise _unreadable(path, error) from error
    return _load_pickle(path)[0]


def outline(path: str | Path) -> Outline:
    """Return the shapes and notes of a file of weights, without reading the weights.

    Raises:
        UserError: as `load_weights`.
    """
    path = _existing(path)
    if is_safetensors(first_bytes(path)):
        try:
            with safe_open(path, framework="pt") as file:
                shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
                return Outline(shapes, dict(file.metadata() or {}))
        except SafetensorError as error:
            raise _unreadable(path, error) from error
    state, notes = _load_pickle(path, mapped=True)
    return Outline({name: tuple(tensor.shape) for name, tensor in state.items()}, notes)


def is_quantised(path: str | Path) -> bool:
    """Tell whether a safetensors file holds int8 rows with scales; reads its header only."""
    if not is_safetensors(first_bytes(Path(path))):
        return False
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            return any(
                f"{name}{SCALE}" in names and file.get_slice(name).get_dtype() == "I8"
                for name in names
            )
    except SafetensorError as error:
        raise _unreadable(Path(path), error) from error


def save_int8(path: str | Path, state: Mapping[str, Tensor]) -> None:
    """Write `state` as safetensors with symmetric int8 rows: a quarter of the float32 size.

    A float tensor of two or more dimensions becomes int8 with one float32 scale a row of its
    first dimension, max |row| / 127, so that no value moves by more than half a scale. Other float
    tensors are kept in float32, integers as they are.

    Raises:
        ValueError: a value is not finite, or a name collides with a scale's.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if f"{name}{SCALE}" in state:
            raise ValueError(f"{name}{SCALE}: the name is needed for the scale of {name}")
        if not tensor.is_floating_point():
            stored[name] = tensor.detach().clone().contiguous()
            continue
        values = tensor.detach().to("cpu", torch.float32)
        if not values.isfinite().all():
            raise ValueError(f"{name}: holds values that are not finite")
        if values.ndim < 2:
            stored[name] = values.clone().contiguous()
        else:
            stored[name], stored[f"{name}{SCALE}"] = _quantise(values)
    save_file(stored, path)


def fill(module: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Load `state` into `module`, which it must fill exactly.

    A tensor tied to one that `state` holds (a language model's output matrix) may be left out.

    Raises:
        UserError: tensors are missing, unexpected or of another shape; names `source` and them.
    """
    expected = module.state_dict()
    held = {expected[name].data_ptr() for name in state if name in expected}
    missing = [n for n, t in expected.items() if n not in state and t.data_ptr() not in held]
    unexpected = [n for n in state if n not in expected]
    other = [
        f"{n} {tuple(t.shape)} for {tuple(expected[n].shape)}"
        for n, t in state.items()
        if n in expected and t.shape != expected[n].shape
    ]
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": other}
    problems = [f"{what}: {', '.join(names[:3])}" for what, names in faults.items() if names]
    if problems:
        raise UserError(
            f"{source}: the weights do not fit the network ({'; '.join(problems)}). "
            "Give the file and the network that belong together."
        )
    module.load_state_dict(state, strict=False)


def require_finite(module: nn.Module, named: str) -> None:
    """Refuse a network with weights that are no numbers.

    Raises:
        UserError: naming it as `named` does, and the first such tensor.
    """
    for name, tensor in module.named_parameters():
        if not tensor.isfinite().all():
            raise UserError(
                f"{named}: its weights hold values that are no numbers (NaN or infinity), such as "
                f"in {name}: the file is damaged, or the training failed. Give another."
            )


def _quantise(values: Tensor) -> tuple[Tensor, Tensor]:
    rows = values.flatten(1)  # (rows, rest)
    # A row of zeros, or of numbers too small to have a step, gets the smallest normal step.
    scale = (rows.abs().amax(dim=1) / _STEPS).clamp(min=_TINY)  # (rows,)
    steps = (rows / scale[:, None]).round().clamp(-_STEPS, _STEPS).to(torch.int8)
    return steps.view(values.shape).contiguous(), scale


def _widen(stored: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    scales: set[str] = set()
    for name, tensor in stored.items():
        scale = stored.get(f"{name}{SCALE}")
        if tensor.dtype != torch.int8 or scale is None:
            state[name] = tensor
            continue
        if not scale.is_floating_point() or scale.shape != tensor.shape[:1]:
            raise UserError(
                f"{path}: {name}{SCALE} does not hold one float a row of {name}. "
                "The file is damaged: fetch or build it again."
            )
        scales.add(f"{name}{SCALE}")
        # (rows,) -> (rows, 1, ...): one factor a row
        factors = scale.float().view(-1, *[1] * (tensor.ndim - 1))
        state[name] = tensor.float() * factors
    return {name: tensor for name, tensor in state.items() if name not in scales}


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: there is no such file of weights. Check the path.")
    fault = fault_of(path)
    if fault is not None:
        raise UserError(f"{path} {fault}.")
    return path


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(
        f"{path}: not a readable safetensors file ({describe(error)}). Download it again."
    )


def _load_pickle(path: Path, *, mapped: bool = False) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return a pickle's tensors and notes; `mapped` leaves the tensors' numbers on the disk."""
    if is_torchscript(path):
        return read_torchscript(path), {}
    try:
        # Only the zip that torch writes since 1.6 can be mapped, and only by its path; but what is
        # called .safetensors torch takes for that, unless it gets the open file.
        mapped = mapped and zipfile.is_zipfile(path) and path.suffix != ".safetensors"
        with path.open("rb") as file:
            source = path if mapped else file
            loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # hostile bytes make the unpickler fail in any way there is
        raise UserError(
            f"{path}: not a file of plain weights, so it was not opened: a pickle can carry code. "
            "Give a .safetensors file, or a .pt written by torch.save(model.state_dict()). "
            f"(torch says: {describe(error)})"
        ) from error
    notes: dict[str, str] = {}
    if isinstance(loaded, dict) and isinstance(loaded.get(_STATE), dict):
        notes = {str(k): str(v) for k, v in loaded.items() if isinstance(v, (str, bool))}
        loaded = loaded[_STATE]
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in loaded.items()
    ):
        raise UserError(
            f"{path}: holds something else than named tensors. "
            "Give a file written by torch.save(model.state_dict())."
        )
    return _without_prefix(loaded), notes


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if state and all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    return dict(state)
