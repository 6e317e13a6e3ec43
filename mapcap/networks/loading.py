"""The networks of a run: looked at before any weights are loaded, loaded, and tried out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mapcap.classifiers.records import Classifier
from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import Captioner, check_captioner, load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clip_check import check_clip
from mapcap.networks.language_models import (
    LanguageModel,
    check_language_model,
    for_scoring,
    load_language_model,
)
from mapcap.networks.probe import probe
from mapcap.presets import PRESETS


@dataclass(frozen=True)
class Networks:
    """The three networks of a run."""

    clip: Clip
    captioner: Captioner
    language_model: LanguageModel
    half: torch.dtype | None = None
    """In what the vision tower runs forward; None: in its own dtype."""
    classifier: Classifier | None = None
    """A person's own network, which then predicts."""


def load_networks(
    config: IndexConfig, device: torch.device, half: torch.dtype | None = None
) -> Networks:
    """Load the three networks of a configuration onto a device, and try them out.

    `half` (bfloat16 or float16) is what the vision tower is to run forward in, if not its own.

    Raises:
        UserError: for networks that are missing, cannot be loaded, or do not do what a run asks.
    """
    check_networks(config)
    clip = load_clip(config.model, config.pretrained, config.weights, device=device)
    language_model = for_scoring(load_language_model(config.lm, device=device))
    captioner = load_captioner(config, clip, device)
    probe(config, clip, captioner, language_model, half)
    classifier = None
    if config.classifier is not None:
        # Not above: only such a run needs timm's and transformers' classifiers.
        from mapcap.classifiers.kinds import load_classifier

        classifier = load_classifier(config.classifier, device)
    return Networks(clip, captioner, language_model, half, classifier)


def check_networks(config: IndexConfig) -> None:
    """Check names, kinds, files and towers from configurations, before any weights are loaded.

    Raises:
        UserError: with all that is wrong, each with the option it was named by, or the preset.
    """
    checks: list[tuple[str, Callable[[], None]]] = [
        ("model", lambda: check_clip(config.model, config.pretrained, config.weights)),
        ("captioner", lambda: check_captioner(config)),
        ("lm", lambda: check_language_model(config.lm)),
    ]
    faults = []
    for part, check in checks:
        try:
            check()
        except UserError as error:
            faults.append(f"{_preset_of(config, part)}{error}")
    if faults:
        raise UserError("\n".join(faults))


def _preset_of(config: IndexConfig, part: str) -> str:
    """Return the words that tell of the preset, where it named a part and not the person."""
    preset = PRESETS.get(config.preset)
    if preset is None or config.preset == IndexConfig.preset:
        return ""
    named = getattr(preset, part) == getattr(config, part)
    return f"--preset {config.preset} asks for " if named else ""
