"""What `--engine` and its options ask for, checked before anything is loaded."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from mapcap.errors import UserError

ENGINES: Final = ("local", "ray")
_DEVICES: Final = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class RayOptions:
    """How a run is spread."""

    actors: int | None
    """None: one for each GPU of the cluster."""
    address: str | None
    """None: a cluster of this machine alone, started for the run."""


def ray_options(
    engine: str, actors: int | None, address: str | None, device: str
) -> RayOptions | None:
    """Return what `--engine ray` is to do; None for the local engine.

    Raises:
        UserError: for options that do not go together, or without the extra `ray`.
    """
    if engine not in ENGINES:
        raise UserError(f"--engine {engine}: use one of {', '.join(ENGINES)}.")
    if engine == "local":
        for option, value in (("--actors", actors), ("--address", address)):
            if value is not None:
                raise UserError(f"{option} {value}: belongs to --engine ray; give that, too.")
        return None
    if actors is not None and actors < 1:
        raise UserError(f"--actors {actors}: at least 1.")
    if device not in _DEVICES:
        raise UserError(
            f"--device {device}: with --engine ray every actor has the GPU that Ray gives it; use "
            f"one of {', '.join(_DEVICES)}."
        )
    if address is not None and "://" in address:
        raise UserError(
            f"--address {address}: the writer must be on a node of the cluster. Run the command "
            "there, with --address auto or HOST:PORT."
        )
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise UserError("--engine ray needs Ray: pip install 'mapcap[ray]'.")
    return RayOptions(actors, address)
