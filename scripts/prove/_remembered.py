"""What the networks made of a batch, kept for the runs that come after.

A killed run is about what is stored and what is asked again: between two writes it may as well
take the networks' word from the run before. What is not known is computed.
"""

import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from mapcap.indexing import local_engine
from mapcap.indexing.computing import computed
from mapcap.indexing.stages.base import PortableStage
from mapcap.networks.loading import Networks

_known: dict[bytes, bytes] = {}
"""Results by the digest of what went in, both pickled: nobody changes what another one takes."""


def remember(networks: Networks) -> None:
    """Let this process and its children ask what is known first."""
    local_engine.computed = _computed  # type: ignore[attr-defined]
    encode = networks.clip.model.encode_text

    def encode_text(tokens: torch.Tensor, *more: Any, **named: Any) -> torch.Tensor:
        # Whoever looks at the attention on its way needs the way to be gone.
        if torch._C._len_torch_function_stack():
            return encode(tokens, *more, **named)  # type: ignore[no-any-return]
        return _ask(("text", tokens, more, named), lambda: encode(tokens, *more, **named))  # type: ignore[no-any-return]

    networks.clip.model.encode_text = encode_text


def keep(file: Path) -> None:
    """Write what this process knows to a file: a child, before it ends."""
    file.write_bytes(pickle.dumps(_known))


def learn(file: Path) -> None:
    """Take what a child has written."""
    _known.update(pickle.loads(file.read_bytes()))
    file.unlink()


def _computed(
    of: Any, size: Any, count: int, data: Any, ticking: Callable[[int], Callable[[float], None]]
) -> Iterator[tuple[int, Any]]:
    if not isinstance(of, PortableStage):
        yield from computed(of, size, count, data, ticking)
        return

    yield from _ask((of.name, data), lambda: list(computed(of, size, count, data, ticking)))


def _ask(about: Any, compute: Callable[[], Any]) -> Any:
    key = _digest(about)
    if key not in _known:
        _known[key] = pickle.dumps(compute())
    return pickle.loads(_known[key])


def _digest(about: Any) -> bytes:
    written = io.BytesIO()
    _Alike(written).dump(about)
    return hashlib.sha256(written.getvalue()).digest()


class _Alike(pickle.Pickler):
    """Writes alike what is equal: whether or not it is one object, and wherever a tensor lies."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.fast = True

    def reducer_override(self, each: Any) -> Any:
        """Write a tensor's numbers."""
        if isinstance(each, torch.Tensor):
            return bytes, (each.contiguous().numpy().tobytes(),)
        return NotImplemented
