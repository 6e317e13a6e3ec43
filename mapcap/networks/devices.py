"""Where the networks run."""

import torch

from mapcap.errors import UserError

DTYPE = torch.float32
"""Default number type of the networks on every device, CUDA included.

Attention gradients underflow in float16, and the PMI is a difference of log-probabilities that are
nearly equal, where bfloat16's eight bits show. The networks are small; `dtype` overrides it, and
`pick_dtype` says where the vision tower alone is run forward in half precision.
"""


def pick_device(name: str = "auto") -> torch.device:
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        UserError: the name is no device, or this machine does not have it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name}: not a device. {_advice()}") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"--device {name}: MapCap does not run on {device.type}. {_advice()}")
    missing = (
        (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count())
        or (device.type == "mps" and (not _has_mps() or (device.index or 0) > 0))
        or (device.type == "cpu" and (device.index or 0) > 0)
    )
    if missing:
        raise UserError(f"--device {name}: torch finds no such device here. {_advice()}")
    return device


DTYPES = ("auto", "float32", "bfloat16", "float16")
"""What `--dtype` may be."""


def pick_dtype(name: str, device: torch.device) -> torch.dtype | None:
    """Return the half precision in which CLIP's vision tower runs forward, None for its own.

    `auto` takes bfloat16 on CUDA, float16 where that is not to be had, and elsewhere the
    networks' own. Attention, gradients and sums are float32 in any case.

    Raises:
        UserError: the name is none of `DTYPES`.
    """
    if name not in DTYPES:
        raise UserError(f"--dtype {name}: use one of {', '.join(DTYPES)}.")
    if name == "auto":
        if device.type != "cuda":
            return None
        with torch.cuda.device(device):
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    return {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]


def name_of(dtype: torch.dtype) -> str:
    """Return the name by which `pick_dtype` knows a dtype."""
    return str(dtype).removeprefix("torch.")


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _advice() -> str:
    names = ["auto", "cpu"]
    names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    names += ["mps"] if _has_mps() else []
    return f"Use one of: {', '.join(names)}."
