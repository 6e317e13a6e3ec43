"""Captions by `generate` of transformers: greedy, with the log-probability of what was said."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from mapcap.networks.clipcap import Caption


@torch.inference_mode()
def greedy_captions(
    model: Any, inputs: Mapping[str, Any], tokenizer: Any, most: int, ends: Iterable[int] = ()
) -> list[Caption]:
    """Generate a caption for each row of `inputs`, of at most `most` tokens.

    A caption ends with the first of the tokens at which the network stops, or of `ends`; the mean
    log-probability (natural log) includes it, and none of the padding of shorter rows.
    """
    output = model.generate(
        **inputs,
        max_new_tokens=most,
        do_sample=False,
        num_beams=1,
        return_dict_in_generate=True,
        output_logits=True,
    )
    logits = torch.stack(output.logits, dim=1)  # (B, T, V)
    tokens: Tensor = output.sequences[:, -logits.shape[1] :]  # (B, T), after what starts a caption
    log_p = logits.float().log_softmax(-1).gather(2, tokens[..., None])[..., 0]  # (B, T)
    stops = _stops(model) | set(ends)
    captions = []
    for row, scores in zip(tokens.tolist(), log_p, strict=True):
        length = next((i + 1 for i, token in enumerate(row) if token in stops), len(row))
        text = tokenizer.decode(row[:length], skip_special_tokens=True)
        captions.append(Caption(text, tuple(row[:length]), scores[:length].mean().item()))
    return captions


def _stops(model: Any) -> set[int]:
    """Return the tokens at which the network, or the one inside it that speaks, stops."""
    stops: set[int] = set()
    for part in (model, getattr(model, "language_model", None)):
        ends = getattr(getattr(part, "generation_config", None), "eos_token_id", None)
        stops.update([ends] if isinstance(ends, int) else ends or [])
    return stops
