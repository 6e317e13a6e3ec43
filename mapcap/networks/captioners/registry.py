"""The kinds of captioners: one line each."""

from types import MappingProxyType
from typing import Final

import torch

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import blip, clipcap, coca, phrases, vlm
from mapcap.networks.captioners.base import Captioner, Kind
from mapcap.networks.clip import Clip

KINDS: Final = MappingProxyType(
    {
        "mini": clipcap.MINI_KIND,
        "clipcap": clipcap.KIND,
        "blip": blip.KIND,
        "coca": coca.KIND,
        "vlm": vlm.KIND,
        "phrases": phrases.KIND,
    }
)


def check_captioner(config: IndexConfig) -> None:
    """Check a run's captioner before any weights are loaded.

    Raises:
        UserError: an unknown kind, missing files, or a captioner of another CLIP.
    """
    _kind(config).check(config)


def load_captioner(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    """Load the captioner of a run whose CLIP is loaded already.

    Raises:
        UserError: an unknown kind, or files that are missing or do not fit.
    """
    kind = _kind(config)
    kind.check(config)
    return kind.load(config, clip, device)


def _kind(config: IndexConfig) -> Kind:
    kind = KINDS.get(config.captioner.partition(":")[0])
    if kind is None:
        usages = ", ".join(each.usage for each in KINDS.values())
        raise UserError(
            f"--captioner {config.captioner}: there is no such captioner. Give one of: {usages}."
        )
    return kind
