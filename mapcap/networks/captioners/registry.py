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
        UserError: an unknown kind, missing files, a captioner of another CLIP, or one that does not
            look at pixels and is to see regions in a way of its own, or that is no ClipCap and is
            to choose tokens otherwise than it does.
    """
    kind = _kind(config)
    if config.region_view != IndexConfig.region_view and kind.makes.needs != "crops":
        seeing = ", ".join(each.usage for each in KINDS.values() if each.makes.needs == "crops")
        raise UserError(
            f"--region-view {config.region_view}: --captioner {config.captioner} reads the CLIP's "
            f"features and sees no pixels. Leave it out, or give one of: {seeing}."
        )
    if config.decoding != IndexConfig.decoding and kind.makes is not clipcap.ClipCapCaptioner:
        raise UserError(
            f"--decoding {config.decoding}: --captioner {config.captioner} is no ClipCap. Leave it "
            f"out, or give one of: {clipcap.MINI_KIND.usage}, {clipcap.KIND.usage}."
        )
    kind.check(config)


def load_captioner(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    """Load the captioner of a run whose CLIP is loaded already.

    Raises:
        UserError: an unknown kind, or files that are missing or do not fit.
    """
    check_captioner(config)
    return _kind(config).load(config, clip, device)


def _kind(config: IndexConfig) -> Kind:
    kind = KINDS.get(config.captioner.partition(":")[0])
    if kind is None:
        usages = ", ".join(each.usage for each in KINDS.values())
        raise UserError(
            f"--captioner {config.captioner}: there is no such captioner. Give one of: {usages}."
        )
    return kind
