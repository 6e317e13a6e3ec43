"""Whether a language model reads packed rows rightly, tried before a run relies on it."""

from itertools import cycle, islice

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mapcap.pmi import ROW_NODES, longest_sentence, pmi_matrix, tolerance

_WORDS = "a brown dog on green grass sits beside the old house".split()
_OTHER_WORDS = "two yellow lemons lie in front of every red car".split()


def scores_packed_rows(language_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether a network scores two packed sentences as it scores them one by one.

    Together they fill a row as far as they may, so that a window of its attention shows in one.

    Raises:
        Exception: what the network raises where even one by one does not work.
    """
    words = min(ROW_NODES // 2, longest_sentence(language_model))
    sentences = [" ".join(islice(cycle(each), words)) for each in (_WORDS, _OTHER_WORDS)]
    plain = pmi_matrix(sentences, language_model, tokenizer, packed=False)
    try:
        packed = pmi_matrix(sentences, language_model, tokenizer)
    except Exception:  # networks fail in many ways at masks and caches they do not know
        return False
    lengths = [
        len(tokenizer(f" {each}", add_special_tokens=False)["input_ids"]) for each in sentences
    ]
    # Long sentences sum up small differences to what a short one would be forgiven.
    allowed = 0.1 * tolerance(language_model) * np.array(lengths)
    return bool(
        (np.abs(packed.matrix - plain.matrix) <= allowed).all()
        and (np.abs(packed.surprisal - plain.surprisal) <= allowed).all()
    )
