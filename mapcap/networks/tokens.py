"""The tokens of a CLIP's tokenizer as text, to show which part of a class name matters."""

from collections.abc import Sequence
from typing import Any

_END_OF_WORD = "</w>"
_CONTINUES = "##"


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return what each token stands for, without the marks that tokenizers put around words.

    `tokenizer` is one of open_clip's: its own BPE, or a wrapped Hugging Face tokenizer.
    """
    wrapped = getattr(tokenizer, "tokenizer", None)
    if wrapped is not None:
        pieces = wrapped.convert_ids_to_tokens(list(ids))
        return [piece.removeprefix(_CONTINUES) for piece in pieces]
    decoded = [tokenizer.decoder[int(number)] for number in ids]
    return [
        bytearray(tokenizer.byte_decoder[char] for char in piece.removesuffix(_END_OF_WORD)).decode(
            "utf-8", errors="replace"
        )
        for piece in decoded
    ]
