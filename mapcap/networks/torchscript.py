"""The weights of a TorchScript archive, read without running any of the code in it.

OpenAI's own files of CLIP are such archives. Their weights lie in the zip as plain numbers, and
`data.pkl` says which belongs where. It is unpickled with nothing but the stand-ins below: whatever
else the file names is not looked up, so nothing that it brings is imported or called.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor

from mapcap.errors import UserError
from mapcap.networks.failures import describe

_DTYPES: Final = MappingProxyType(
    {
        "DoubleStorage": torch.float64,
        "FloatStorage": torch.float32,
        "HalfStorage": torch.float16,
        "BFloat16Storage": torch.bfloat16,
        "LongStorage": torch.int64,
        "IntStorage": torch.int32,
        "ShortStorage": torch.int16,
        "CharStorage": torch.int8,
        "ByteStorage": torch.uint8,
        "BoolStorage": torch.bool,
    }
)


def is_torchscript(path: str | Path) -> bool:
    """Tell whether a file is a TorchScript archive; reads its table of contents only."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(path: str | Path) -> dict[str, Tensor]:
    """Return the named tensors of a TorchScript archive, as its `state_dict` would name them.

    Raises:
        UserError: the archive is damaged or holds no weights.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (data,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(data) as file:
                module = _Reader(file, archive, data.removesuffix("data.pkl")).load()
        state = dict(_tensors(module, ""))
    except Exception as error:  # hostile bytes make the unpickler fail in any way there is
        raise UserError(
            f"{path}: not a readable TorchScript archive ({describe(error)}). Download it again."
        ) from error
    if not state:
        raise UserError(f"{path}: a TorchScript archive without weights. Give another file.")
    return state


class _Inert:
    """Stands in for whatever an archive names: takes anything, does nothing, keeps its state."""

    state: Any = None

    def __new__(cls, *_: Any, **__: Any) -> "_Inert":
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    def __init__(self, file: Any, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        return _Inert

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, *_ = pid
        numbers = bytearray(self._archive.read(f"{self._folder}data/{key}"))
        return torch.frombuffer(numbers, dtype=dtype) if numbers else torch.empty(0, dtype=dtype)


def _rebuilt(
    numbers: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any
) -> Tensor:
    # torch refuses what reaches beyond the numbers that are there.
    return numbers.as_strided(tuple(size), tuple(stride), offset)


def _tensors(module: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    state = module.state if isinstance(module, _Inert) else None
    for name, value in state.items() if isinstance(state, dict) else ():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value.clone()
        else:
            yield from _tensors(value, f"{prefix}{name}.")
