"""Language models that do not read packed rows: noticed at load, and scored pair by pair."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

from mapcap.errors import UserError
from mapcap.networks.language_models import (
    LanguageModel,
    check_language_model,
    for_scoring,
    load_language_model,
)
from mapcap.networks.packed_rows import scores_packed_rows
from mapcap.pmi import pmi_matrix

CPU = torch.device("cpu")
SENTENCES = ["a brown dog on green grass.", "two yellow lemons", "a red car."]
SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 320}
HEADS: dict[str, Any] = {
    "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
}  # fmt: skip


def llama() -> Any:
    return tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, **HEADS))


def qwen3() -> Any:
    """As the preset `strong` takes."""
    return tf.Qwen3ForCausalLM(tf.Qwen3Config(**SMALL, **HEADS, head_dim=8))


def bloom() -> Any:
    return tf.BloomForCausalLM(tf.BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=320))


def mamba() -> Any:
    return tf.MambaForCausalLM(tf.MambaConfig(**SMALL, state_size=4))


def hybrid() -> Any:
    kinds = ["conv", "full_attention"]
    return tf.Lfm2ForCausalLM(tf.Lfm2Config(**SMALL, **HEADS, layer_types=kinds))


def neo() -> Any:
    """Every second layer sees the 64 tokens before it alone."""
    config: dict[str, Any] = {
        "attention_types": [[["global", "local"], 1]], "num_layers": 2, "num_heads": 4,
        "vocab_size": 320, "window_size": 64, "hidden_size": 32,
    }  # fmt: skip
    return tf.GPTNeoForCausalLM(tf.GPTNeoConfig(**config))


def made(make: Any) -> Any:
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():  # so that contexts matter
        for weight in model.parameters():
            if weight.ndim >= 2:
                weight.mul_(6)
    return model


@torch.inference_mode()
def log_p(model: Any, context: list[int], sentence: list[int]) -> float:
    tokens = torch.tensor([context + sentence])
    scores = model(tokens, use_cache=False).logits[0].double().log_softmax(-1)
    places = range(len(context) - 1, len(context) + len(sentence) - 1)
    return sum(scores[place, token].item() for place, token in zip(places, sentence, strict=True))


@pytest.mark.parametrize(
    ("make", "packs"),
    [(llama, True), (qwen3, True), (bloom, False), (mamba, False), (hybrid, False)],
)
def test_pmi_is_the_plain_definition_for_every_network(
    make: Any, packs: bool, lm: LanguageModel
) -> None:
    model, tokenizer = made(make), lm.tokenizer
    assert scores_packed_rows(model, tokenizer) is packs
    steps: list[tuple[int, int]] = []
    pmi = pmi_matrix(
        SENTENCES, model, tokenizer, packed=packs, progress=lambda *step: steps.append(step)
    )
    ids = [tokenizer(f" {each}", add_special_tokens=False)["input_ids"] for each in SENTENCES]
    start = [lm.bos_token_id]
    alone = np.array([log_p(model, start, each) for each in ids])
    after = np.array([[log_p(model, start + i, j) for j in ids] for i in ids])
    np.testing.assert_allclose(pmi.surprisal, -alone, atol=1e-3)
    np.testing.assert_allclose(pmi.matrix, after - alone, atol=2e-3)
    assert steps[-1] == (9, 9)


def test_pmi_of_local_attention_is_the_plain_definition(lm: LanguageModel) -> None:
    """GPT-Neo's: some layers see a few tokens back only, whichever way it is scored."""
    model = made(neo)
    packs = scores_packed_rows(model, lm.tokenizer)
    pmi = pmi_matrix(SENTENCES, model, lm.tokenizer, packed=packs)
    ids = [lm.tokenizer(f" {each}", add_special_tokens=False)["input_ids"] for each in SENTENCES]
    alone = np.array([log_p(model, [lm.bos_token_id], each) for each in ids])
    after = [[log_p(model, [lm.bos_token_id, *i], j) for j in ids] for i in ids]
    np.testing.assert_allclose(pmi.surprisal, -alone, atol=1e-3)
    np.testing.assert_allclose(pmi.matrix, np.array(after) - alone, atol=2e-3)


def test_a_language_model_is_tried_when_it_is_loaded(tmp_path: Path, lm: LanguageModel) -> None:
    made(bloom).save_pretrained(tmp_path)
    lm.tokenizer.save_pretrained(tmp_path)
    assert not for_scoring(load_language_model(str(tmp_path), device=CPU)).packed
    assert for_scoring(lm).packed


def test_what_cannot_score_at_all_is_refused(lm: LanguageModel) -> None:
    class Broken(tf.GPT2LMHeadModel):
        def forward(self, *arguments: object, **options: object) -> object:
            raise RuntimeError("no kernel")

    config: Any = lm.model.config
    broken = LanguageModel(Broken(config).eval(), lm.tokenizer, "x", lm.bos_token_id)
    with pytest.raises(UserError, match=r"--lm x: it could not score two sentences \(no kernel\)"):
        for_scoring(broken)


def test_what_is_no_language_model_is_refused_by_its_configuration(tmp_path: Path) -> None:
    tf.ViTConfig().save_pretrained(tmp_path)
    with pytest.raises(UserError, match="a network of type vit is no causal language model"):
        check_language_model(str(tmp_path))
    with pytest.raises(UserError, match="--lm someone/thing: could not be fetched"):
        check_language_model("someone/thing")


def test_a_sentence_without_tokens_is_refused_pair_by_pair(lm: LanguageModel) -> None:
    class Silent:
        bos_token_id, eos_token_id = 0, 0

        def __call__(self, texts: list[str], **_: object) -> dict[str, list[list[int]]]:
            return {"input_ids": [[] for _ in texts]}

    with pytest.raises(ValueError, match="without tokens"):
        pmi_matrix(["x"], lm.model, Silent(), packed=False)  # type: ignore[arg-type]
