"""The tokens of tokenizers of all kinds: which are a text's own, and what they stand for."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from tokenizers import Regex, SentencePieceUnigramTokenizer, Tokenizer, normalizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from mapcap.networks.embedded import embedded
from mapcap.networks.tokens import proper_tokens, token_texts

WORDS = ["tabby cat", "a red car", "the black dog", "a cat on a car"]


class Wrapped:
    """As open_clip wraps a tokenizer of Hugging Face."""

    def __init__(self, tokenizer: Any, length: int = 12) -> None:
        self.tokenizer, self.length = tokenizer, length

    def __call__(self, texts: list[str]) -> torch.Tensor:
        ids: torch.Tensor = self.tokenizer(
            texts, return_tensors="pt", max_length=self.length, padding="max_length"
        ).input_ids
        return ids


def sentence_piece() -> Wrapped:
    """As T5's and SigLIP's: no start token, `</s>` at the end, and the same or another to pad."""
    unigram = SentencePieceUnigramTokenizer()
    unigram.train_from_iterator(WORDS, vocab_size=60, special_tokens=["<pad>", "</s>", "<unk>"])
    tokenizer: Tokenizer = unigram._tokenizer
    tokenizer.normalizer = normalizers.Replace(Regex(" +"), " ")
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return Wrapped(
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
        )
    )


def byte_level(gpt2: PreTrainedTokenizerFast) -> Wrapped:
    """As RoBERTa's: start and end tokens, and a mark for a space."""
    gpt2.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A <|endoftext|>", special_tokens=[("<|endoftext|>", 50256)]
    )
    gpt2.pad_token = gpt2.eos_token
    return Wrapped(gpt2)


def word_piece() -> Any:
    return open_clip.get_tokenizer(f"local-dir:{embedded('clip')}")


@pytest.mark.parametrize("kind", ["own", "sentence-piece", "word-piece", "byte-level"])
def test_a_name_is_shown_whole_and_without_marks(
    kind: str, gpt2_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    tokenizer: Any = {
        "own": lambda: open_clip.tokenizer.SimpleTokenizer(),
        "sentence-piece": sentence_piece,
        "word-piece": word_piece,
        "byte-level": lambda: byte_level(gpt2_tokenizer),
    }[kind]()
    texts = ["tabby cat", "a red car"]
    tokens = tokenizer(texts)
    # No tower is needed to say where a text ends: behind all of it will do.
    proper = proper_tokens(tokenizer, tokens, torch.tensor([tokens.shape[1]] * 2))
    if kind == "own":  # pads with 0, a letter of its own: here the tower says where a text ends
        proper = proper_tokens(tokenizer, tokens, tokens.argmax(1))
    for row, own, text in zip(tokens, proper, texts, strict=True):
        shown = token_texts(tokenizer, row[own].tolist())
        assert "".join(shown) == text.replace(" ", ""), shown
        assert not any(mark in piece for piece in shown for mark in ("Ġ", "▁", "##", "</w>"))


def test_a_tokenizer_without_a_start_token_loses_no_token() -> None:
    tokenizer = sentence_piece()
    tokens = tokenizer(["tabby cat"])
    proper = proper_tokens(tokenizer, tokens, torch.tensor([12]))
    assert proper[0, 0] and not proper[0, -1]
    assert word_piece()(["tabby cat"])[0, 0] not in tokens
    assert not proper_tokens(word_piece(), word_piece()(["tabby cat"]), torch.tensor([12]))[0, 0]
