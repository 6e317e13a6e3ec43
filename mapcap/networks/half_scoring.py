"""Whether a language model's PMI bears products in bfloat16, tried before a run relies on it."""

from typing import Final

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mapcap.networks.half_linears import InBFloat16
from mapcap.pmi import pmi_matrix

# Like the captions of a class: some tell of others.
_SENTENCES: Final = (
    "a brown dog lies on green grass.",
    "a dog runs over the grass.",
    "two yellow lemons lie on a table.",
    "lemons and oranges in a wooden bowl.",
)
# Of the embedded model's PMI the difference is 0.005 of these sentences, and 0.003 to 0.006 of 40
# captions of a class (13 classes): up to this bound it stays within a hundredth.
_MOST: Final = 0.006


def try_bfloat16(
    language_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, packed: bool
) -> bool:
    """Let a network multiply in bfloat16 if its PMI stays what it is; tell whether it does."""
    plain = pmi_matrix(_SENTENCES, language_model, tokenizer, packed=packed).matrix
    layers = InBFloat16(language_model)
    half = pmi_matrix(_SENTENCES, language_model, tokenizer, packed=packed).matrix
    # What a sentence tells of itself is large and never used.
    others = ~np.eye(len(_SENTENCES), dtype=bool)
    if np.linalg.norm((half - plain)[others]) <= _MOST * np.linalg.norm(plain[others]):
        return True
    layers.undo()
    return False
