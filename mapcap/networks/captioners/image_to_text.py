"""Loading image-to-text networks of transformers for captioners, and looking at them before."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners.base import argument
from mapcap.networks.failures import describe
from mapcap.networks.hub import unreachable
from mapcap.networks.quiet import quiet

# Code that comes with a model is never run.
_SAFE: dict[str, Any] = {"trust_remote_code": False}


def read_config(config: IndexConfig) -> Any:
    """Return the configuration of the network that `--captioner KIND:NAME` names; no weights.

    Raises:
        UserError: there is none, or it cannot be had.
    """
    source = _source(config)
    if isinstance(source, str):
        reason = unreachable(source, ["config.json"])
        if reason is not None:
            raise _failed(config, reason)
    try:
        return AutoConfig.from_pretrained(source, **_SAFE)
    except Exception as error:  # transformers and its downloader fail in many ways
        raise _failed(config, describe(error)) from error


def load_network(config: IndexConfig, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load the network that `--captioner KIND:NAME` names and its processor, for inference.

    Raises:
        UserError: it cannot be loaded.
    """
    source = _source(config)
    models: Any = AutoModelForImageTextToText  # transformers' own types are wrong here
    processors: Any = AutoProcessor
    try:
        with quiet() if isinstance(source, Path) else nullcontext():
            model = models.from_pretrained(source, dtype=dtype, **_SAFE)
            processor = processors.from_pretrained(source, **_SAFE)
    except Exception as error:  # transformers, its downloader and torch fail in many ways
        raise _failed(config, describe(error)) from error
    return model.to(device).eval().requires_grad_(False), processor


def _source(config: IndexConfig) -> Path | str:
    """Return the folder that is meant, or else a hub name."""
    name = argument(config)
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else name


def _failed(config: IndexConfig, reason: str) -> UserError:
    return UserError(
        f"--captioner {config.captioner}: could not be loaded ({reason}). Give the hub name of an "
        "image-to-text model (blip:Salesforce/blip-image-captioning-base; needs the network once), "
        "or a folder written by save_pretrained; phrases needs neither."
    )
