"""The networks of a run: looked at before any weights are loaded, loaded, and tried out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from mapcap.classifiers.records import Classifier
from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import Captioner, check_captioner, load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clip_check import check_clip
from mapcap.networks.downloads import Lacking, describe_missing, downloads, lacking
from mapcap.networks.language_models import (
    LanguageModel,
    check_language_model,
    for_scoring,
    load_language_model,
)
from mapcap.networks.probe import probe
from mapcap.networks.weight_files import check_weight_files
from mapcap.networks.weights import require_finite
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

    `half` (bfloat16 or float16) is what the vision tower is to run forward in, if not its own; see
    `for_scoring` for the language model.

    Raises:
        UserError: for networks that are missing, cannot be loaded, or do not do what a run asks.
    """
    # What is here is looked at before anything is fetched, a checkpoint whole.
    classifier = _classifier(config, device, local=True)
    check_networks(config)
    clip = load_clip(
        config.model, config.pretrained, config.weights, image_size=config.image_size, device=device
    )
    require_finite(clip.model, f"--model {config.model}")
    loaded = load_language_model(config.lm, device=device)
    require_finite(loaded.model, f"--lm {config.lm}")
    language_model = for_scoring(loaded, half)
    captioner = load_captioner(config, clip, device)
    for part in _parts(captioner):
        if part is not clip.model:
            require_finite(part, f"--captioner {config.captioner}")
    probe(config, clip, captioner, language_model, half)
    classifier = classifier or _classifier(config, device, local=False)
    return Networks(clip, captioner, language_model, half, classifier)


def _classifier(config: IndexConfig, device: torch.device, *, local: bool) -> Classifier | None:
    """Load a person's network, if there is one and it is on this machine, or is not."""
    if config.classifier is None:
        return None
    # Not above: only such a run needs timm's and transformers' classifiers.
    from mapcap.classifiers.kinds import is_local, load_classifier

    if is_local(config.classifier) != local:
        return None
    return load_classifier(config.classifier, device)


def _parts(captioner: Captioner) -> Iterator[torch.nn.Module]:
    """Yield the networks of a captioner, or of what it is made of."""
    for value in getattr(captioner, "__dict__", {}).values():
        whole = isinstance(value, torch.nn.Module)
        inner = [value] if whole else getattr(value, "__dict__", {}).values()
        yield from (part for part in inner if isinstance(part, torch.nn.Module))


def check_networks(config: IndexConfig, *, reach: bool = True) -> None:
    """Check names, kinds, files and towers from configurations, before any weights are loaded.

    Without `reach`, only what can be checked by what is on this machine.

    Raises:
        UserError: with all that is wrong, each with the option it was named by, or the preset.
    """
    needed = downloads(config)
    faults = dict[str, str]()
    checks: dict[str, Callable[[], None]] = {
        "files": lambda: check_weight_files(config),
        "model": lambda: check_clip(
            config.model,
            config.pretrained,
            config.weights,
            config.relevance,
            config.image_size,
        ),
        "captioner": lambda: check_captioner(config),
        "lm": lambda: check_language_model(config.lm),
    }

    def look(parts: Iterable[str]) -> None:
        for part in parts:
            try:
                checks[part]()
            except UserError as error:
                faults[part] = f"{_preset_of(config, part)}{error}"

    # What is wrong by what is here is known before the hub is asked for anything.
    remote = {each.part for each in needed if each.configured and not each.is_there}
    look(part for part in checks if part not in remote)
    missing = lacking(each for each in needed if each.part not in faults) if reach else []
    if reach:
        unread = {each.download.part for each in missing}
        look(part for part in checks if part in remote - unread)
    lines = [_missing(config, missing)] if missing else []
    lines += [faults[part] for part in checks if part in faults]
    if lines:
        raise UserError("\n".join(lines))


def _missing(config: IndexConfig, missing: Sequence[Lacking]) -> str:
    """Return one line on all that is not on this machine and cannot be fetched now."""
    reasons = "; ".join(dict.fromkeys(each.reason for each in missing))
    lines = [
        f"{_preset_of(config, each.download.part)}{describe_missing(each.download)}"
        for each in missing
    ]
    return (
        f"not on this machine, and could not be fetched ({reasons}). Run these where there is a "
        f"network, and copy its cache (~/.cache/huggingface) here: {'; '.join(lines)}. Or name "
        "files and folders that are here, or take --preset mini, which needs none."
    )


def _preset_of(config: IndexConfig, part: str) -> str:
    """Return the words that tell of the preset, where it named a part and not the person."""
    preset = PRESETS.get(config.preset)
    if preset is None or config.preset == IndexConfig.preset:
        return ""
    named = getattr(preset, part, None) == getattr(config, part, "")
    return f"--preset {config.preset} asks for " if named else ""
