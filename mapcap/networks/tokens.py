"""The tokens of a CLIP's tokenizer as text, to show which part of a class name matters."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_END_OF_WORD = "</w>"
_CONTINUES = "##"


def proper_tokens(tokenizer: Any, tokens: Tensor, ends: Tensor) -> Tensor:
    """Return which tokens (B, L) are a text's own, before its end (B,): (B, L) bool.

    A tokenizer's special tokens are not: a start token, which some do not put, and an end token
    before the padding that a tower takes for the end.
    """
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    special = torch.tensor(sorted(_special(tokenizer)), device=tokens.device)
    return (positions < ends.unsqueeze(1)) & ~torch.isin(tokens, special)


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return what each token stands for, without the marks that tokenizers put around words.

    `tokenizer` is one of open_clip's: its own BPE, or a wrapped Hugging Face tokenizer.
    """
    wrapped = getattr(tokenizer, "tokenizer", None)
    if wrapped is not None:
        pieces = [piece.removeprefix(_CONTINUES) for piece in wrapped.convert_ids_to_tokens(ids)]
        # Its own decoder knows what stands for a space: SentencePiece's mark, or byte-level BPE's.
        return [wrapped.convert_tokens_to_string([piece]).strip() for piece in pieces]
    decoded = [tokenizer.decoder[int(number)] for number in ids]
    return [
        bytearray(tokenizer.byte_decoder[char] for char in piece.removesuffix(_END_OF_WORD)).decode(
            "utf-8", errors="replace"
        )
        for piece in decoded
    ]


def _special(tokenizer: Any) -> set[int]:
    """Return the tokens that stand for no text."""
    wrapped = getattr(tokenizer, "tokenizer", None)
    if wrapped is None:
        return {tokenizer.sot_token_id, tokenizer.eot_token_id}
    return set(wrapped.all_special_ids) - {wrapped.unk_token_id}
