"""`--classifier KIND:NAME`: which library it is of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch

from mapcap.classifiers import hf_networks, timm_networks
from mapcap.classifiers.records import OPTION, Classifier, Sketch
from mapcap.errors import UserError


class _Kind(NamedTuple):
    check: Callable[[str], Sketch]
    """What follows the colon -> what is known before any weights are fetched."""
    load: Callable[[str], Classifier]


_KINDS: Final[Mapping[str, _Kind]] = {
    "timm": _Kind(timm_networks.check, timm_networks.load),
    "hf": _Kind(hf_networks.check, hf_networks.load),
}


def check_classifier(text: str) -> Sketch:
    """Return what is known of a classifier before any weights are fetched or loaded.

    Raises:
        UserError: for a name, a file or a folder that is none, and a network without a head.
    """
    kind, name = _split(text)
    return kind.check(name)


def is_local(text: str) -> bool:
    """Tell whether a classifier is all on this machine: a checkpoint, or a folder."""
    kind, _, name = text.partition(":")
    return "|" in name if kind == "timm" else Path(name).is_dir()


def load_classifier(text: str, device: torch.device) -> Classifier:
    """Load a classifier onto a device, in eval mode, no parameter asking gradients.

    Raises:
        UserError: for one that cannot be had, or whose reading is not known.
    """
    kind, name = _split(text)
    classifier = kind.load(name)
    classifier.trunk.to(device).eval().requires_grad_(False)
    return classifier


def _split(text: str) -> tuple[_Kind, str]:
    prefix, colon, name = text.partition(":")
    if prefix not in _KINDS or not colon or not name:
        raise UserError(
            f"{OPTION} {text}: give timm:NAME, timm:NAME|FILE (a checkpoint of that network), or "
            "hf:NAME or hf:FOLDER (an image classifier of transformers)."
        )
    return _KINDS[prefix], name
