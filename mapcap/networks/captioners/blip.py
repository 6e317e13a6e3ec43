"""What makes captions of regions: ClipCap from features, BLIP and the like from crops."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import torch
from huggingface_hub import hf_hub_download
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from mapcap.errors import UserError
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.networks.devices import DTYPE
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.failures import said
from mapcap.networks.language_models import LanguageModel
from mapcap.networks.quiet import quiet

CLIPCAP = "clipcap:"
BLIP = "blip:"

_HUB = "hf-hub:"
_BLIP_TOKENS = 40
"""BLIP's captions end by themselves; this only bounds one that does not."""

Needs = Literal["features", "crops"]


@dataclass(frozen=True)
class RegionBatch:
    """The regions of one batch; only what the captioner `needs` has to be there."""

    features: Tensor | None = None
    """CLIP features (B, D), not normalised."""
    crops: Sequence[Image.Image] = ()
    """The regions' boxes cut out of their photos, RGB."""


class Captioner(Protocol):
    """Makes one caption for each region of a batch."""

    needs: ClassVar[Needs]

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions, in order."""
        ...


@dataclass(frozen=True)
class ClipCapCaptioner:
    """Captions features, greedily."""

    clipcap: ClipCap
    needs: ClassVar[Needs] = "features"

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' features, in order.

        Raises:
            ValueError: the batch has no features.
        """
        if batch.features is None:
            raise ValueError("ClipCap captions features, and the batch has none")
        return self.clipcap.generate(batch.features)


@dataclass(frozen=True)
class BlipCaptioner:
    """Captions crops, greedily, with an image-to-text network of transformers (BLIP, GIT)."""

    model: Any
    processor: Any
    needs: ClassVar[Needs] = "crops"

    @torch.inference_mode()
    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' crops, in order; log-probabilities include the end-of-text token.

        Raises:
            ValueError: the batch has features and no crops.
        """
        if not batch.crops:
            if batch.features is not None and len(batch.features):
                raise ValueError("BLIP captions crops, and the batch has none")
            return []
        pixels = self.processor(images=list(batch.crops), return_tensors="pt")["pixel_values"]
        output = self.model.generate(
            pixel_values=pixels.to(device=self.model.device, dtype=self.model.dtype),
            max_new_tokens=_BLIP_TOKENS,
            do_sample=False,
            num_beams=1,
            return_dict_in_generate=True,
            output_logits=True,
        )
        logits = torch.stack(output.logits, dim=1)  # (B, T, V)
        tokens = output.sequences[:, -logits.shape[1] :]  # (B, T), after what starts a caption
        log_p = logits.float().log_softmax(-1).gather(2, tokens[..., None])[..., 0]  # (B, T)
        tokenizer = self.processor.tokenizer
        ends = {tokenizer.sep_token_id, tokenizer.eos_token_id} - {None}
        captions = []
        for row, scores in zip(tokens.tolist(), log_p, strict=True):
            length = next((i + 1 for i, token in enumerate(row) if token in ends), len(row))
            text = tokenizer.decode(row[:length], skip_special_tokens=True)
            captions.append(Caption(text, tuple(row[:length]), scores[:length].mean().item()))
        return captions


def load_captioner(
    spec: str,
    *,
    language_model: LanguageModel,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> Captioner:
    """Load a captioner: `mini`, `clipcap:FILE`, `clipcap:hf-hub:REPO/FILE` or `blip:NAME`.

    ClipCap decodes with `language_model` (where it is), or with a copy that its file's own weights
    fill. `blip:` takes a hub name or a folder written by `save_pretrained`, and runs on `device`.

    Raises:
        UserError: an unknown kind, or files that are missing or do not fit.
    """
    if spec == MINI or spec.startswith(CLIPCAP):
        path = embedded("clipcap.safetensors") if spec == MINI else _checkpoint(spec)
        model, tokenizer = language_model.model, language_model.tokenizer
        return ClipCapCaptioner(
            ClipCap.from_checkpoint(path, language_model=model, tokenizer=tokenizer)
        )
    if spec.startswith(BLIP):
        return _load_blip(spec, device, dtype or DTYPE)
    raise UserError(
        f"--captioner {spec}: there is no such captioner. "
        f"Give {MINI}, {CLIPCAP}FILE, {CLIPCAP}{_HUB}REPO/FILE or {BLIP}NAME."
    )


def _checkpoint(spec: str) -> Path:
    name = spec.removeprefix(CLIPCAP)
    if not name.startswith(_HUB):
        return Path(name).expanduser()
    repository, _, file = name.removeprefix(_HUB).rpartition("/")
    try:
        return Path(hf_hub_download(repository, file))
    except Exception as error:  # the downloader fails in many ways
        raise UserError(
            f"--captioner {spec}: could not be fetched ({said(error)}). "
            f"Without a network, get the file elsewhere and give {CLIPCAP}FILE; {MINI} needs none."
        ) from error


def _load_blip(spec: str, device: torch.device, dtype: torch.dtype) -> BlipCaptioner:
    name = spec.removeprefix(BLIP)
    folder = Path(name).expanduser()
    source = folder if folder.is_dir() else name
    models: Any = AutoModelForImageTextToText  # transformers' own types are wrong here
    processors: Any = AutoProcessor
    try:
        with quiet() if folder.is_dir() else nullcontext():
            model = models.from_pretrained(source, trust_remote_code=False)
            processor = processors.from_pretrained(source, trust_remote_code=False)
    except Exception as error:  # transformers, its downloader and torch fail in many ways
        raise UserError(
            f"--captioner {spec}: could not be loaded ({said(error)}). Give the hub name of an "
            "image-to-text model (Salesforce/blip-image-captioning-base; needs the network once), "
            f"or a folder written by save_pretrained; {MINI} needs neither."
        ) from error
    model.to(device=device, dtype=dtype).eval().requires_grad_(False)
    return BlipCaptioner(model, processor)
