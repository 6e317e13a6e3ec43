"""Pointwise mutual information between the sentences of a class, by a causal language model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from mapcap.errors import UserError
from mapcap.networks.caches import cache_argument
from mapcap.networks.half_linears import HalfLinear
from mapcap.networks.logits import last_logits
from mapcap.networks.packing import Block, pack
from mapcap.networks.plain_scoring import score_pairs

# Nodes in a row. Attention is dense over the row, so it costs more than the layers around it soon
# after this length, while rows half as long share fewer beginnings.
ROW_NODES = 256
# Most logits that one forward pass makes: 512 MB in float32.
MOST_LOGITS = 2**27
# Nodes whose logits are summed up together: 13 MB in float32 with GPT-2's vocabulary.
_NODES_AT_ONCE = 64


class PMI(NamedTuple):
    """PMI of n sentences, in nats: `matrix` (n, n), row the context; `surprisal` (n,)."""

    matrix: NDArray[np.float32]
    surprisal: NDArray[np.float32]


def pmi_matrix(
    sentences: Sequence[str],
    language_model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    batch_size: int = 8,
    progress: Callable[[int, int], None] | None = None,
    *,
    packed: bool = True,
) -> PMI:
    """Return matrix[i, j] = log p(s_j | s_i) - log p(s_j), before any clamping.

    After Padmakumar & He 2021 (arXiv 2102.06272). The text scored is BOS, " " + s_i, " " + s_j,
    each piece tokenised by itself so that the boundary is the same with and without a context;
    log-probabilities are natural and summed over the tokens of s_j; surprisal[j] = -log p(s_j).
    Each context is read once and its cache serves all sentences, which stand packed in rows
    (`mapcap.networks.packing`). The result does not depend on `batch_size`.

    A sentence longer than half the network's positions beside BOS is cut there, as context and as
    sentence alike, so that every pair fits.

    Args:
        sentences: n distinct sentences, without the separating space.
        language_model: a causal network of transformers that takes 4-D attention masks and
            position ids (GPT-2, Llama and most others); its device and dtype are kept. The
            softmax is in float32 whatever the dtype.
        tokenizer: its tokenizer, with a BOS or EOS token.
        batch_size: most contexts in one forward pass, each with a row of up to 256 tokens; fewer
            where the vocabulary is large.
        progress: called after each forward pass with the pairs done and their total. What it
            raises ends the computation.
        packed: False scores pair by pair, which is slow and right for every causal network.

    Raises:
        ValueError: for a batch_size below 1 or a sentence without tokens.
        UserError: if the network does not work with packed rows or has no BOS token.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is at least 1, not {batch_size}")
    n = len(sentences)
    conditional = np.zeros((n, n))
    if not n:
        return PMI(conditional.astype(np.float32), np.zeros(0, np.float32))
    start = _start_token(tokenizer)
    token_ids = _encode(sentences, tokenizer, longest_sentence(language_model))
    if not packed:
        return _pair_by_pair(language_model, start, token_ids, progress)
    blocks = pack(token_ids, ROW_NODES)
    vocabulary = int(_text_config(language_model).vocab_size)
    most = max(1, MOST_LOGITS // (vocabulary * max(len(block.tokens) for block in blocks)))
    done = 0
    with torch.inference_mode(), _evaluating(language_model):
        alone = np.zeros(n)
        for block, scores in _score(language_model, [[start]], blocks):
            alone[block.sentences] = scores[0]
        for rows in _batches(token_ids, min(batch_size, most)):
            contexts = [[start, *token_ids[i]] for i in rows]
            for block, scores in _score(language_model, contexts, blocks):
                if not done:
                    place = block.most_crowded()
                    hardest = token_ids[block.sentences[place]]
                    _verify(language_model, contexts[0], hardest, scores[0, place])
                conditional[np.ix_(rows, block.sentences)] = scores
                done += scores.size
                if progress is not None:
                    progress(done, n * n)
    return PMI((conditional - alone).astype(np.float32), (-alone).astype(np.float32))


def _pair_by_pair(
    language_model: PreTrainedModel,
    start: int,
    token_ids: Sequence[list[int]],
    progress: Callable[[int, int], None] | None,
) -> PMI:
    """Return the PMI from every pair read for itself."""
    n = len(token_ids)
    if not all(token_ids):
        raise ValueError("a sentence without tokens cannot be scored")
    contexts = [[start], *([start, *context] for context in token_ids)]
    pairs = [(context, sentence) for context in contexts for sentence in token_ids]

    def report(done: int) -> None:
        if progress is not None:
            progress(max(0, done - n), n * n)

    most = MOST_LOGITS // int(_text_config(language_model).vocab_size)
    with torch.inference_mode(), _evaluating(language_model):
        scores = score_pairs(language_model, pairs, most, report).reshape(n + 1, n)
    alone, conditional = scores[0], scores[1:]
    return PMI((conditional - alone).astype(np.float32), (-alone).astype(np.float32))


def choose_sentences(
    counts: Sequence[int] | NDArray[Any],
    embeddings: NDArray[np.floating[Any]],
    max_sentences: int,
    seed: int,
) -> NDArray[np.int64]:
    """Choose which of a class's n distinct sentences enter the matrix when there are too many.

    Up to half the places go to the sentences that occur more than once, most frequent first; the
    others to a spread of the rest, by k-means++ seeding (Arthur & Vassilvitskii 2007): each next
    one is drawn with probability proportional to the squared distance to the nearest chosen.

    Args:
        counts: (n,) how often each sentence occurs.
        embeddings: (n, D) of the sentences.
        max_sentences: number of places, at least 1.
        seed: the same seed gives the same choice.

    Returns:
        min(n, max_sentences) indices, ascending.
    """
    times = np.asarray(counts)
    points = np.asarray(embeddings, dtype=np.float64)
    if len(times) <= max_sentences:
        return np.arange(len(times))
    by_count = np.argsort(-times, kind="stable")
    chosen = [int(i) for i in by_count[: max_sentences // 2] if times[i] > 1]
    distances = np.full(len(times), np.inf)
    for index in chosen:
        distances = np.minimum(distances, ((points - points[index]) ** 2).sum(axis=1))
    random = np.random.default_rng(seed)
    while len(chosen) < max_sentences:
        left = np.setdiff1d(np.arange(len(times)), chosen)
        weights = distances[left]
        # With nothing chosen yet, or only copies of what is chosen left, one is as good as another.
        even = not chosen or not weights.any()
        index = int(random.choice(left, p=None if even else weights / weights.sum()))
        chosen.append(index)
        distances = np.minimum(distances, ((points - points[index]) ** 2).sum(axis=1))
    return np.sort(np.array(chosen))


def _encode(
    sentences: Sequence[str], tokenizer: PreTrainedTokenizerBase, longest: int
) -> list[list[int]]:
    """Tokenise each sentence after one space, without special tokens, cut to `longest` tokens."""
    pieces = [f" {sentence}" for sentence in sentences]
    encoded = tokenizer(pieces, add_special_tokens=False)["input_ids"]
    return [list(tokens[:longest]) for tokens in encoded]


def _start_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the token that every scored text starts with: BOS, or else EOS."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise UserError(
        f"--lm: the tokenizer {tokenizer.name_or_path!r} has neither a BOS nor an EOS token. "
        "Name another language model, such as gpt2."
    )


def _text_config(language_model: PreTrainedModel) -> Any:
    """Return the configuration of the network that speaks, where there are several in one."""
    return language_model.config.get_text_config(decoder=True)


def longest_sentence(language_model: PreTrainedModel) -> int:
    """Return how many tokens a sentence may have for every pair to fit, beside BOS."""
    config = _text_config(language_model)
    limits = (getattr(config, name, None) for name in ("max_position_embeddings", "sliding_window"))
    return (min((int(limit) for limit in limits if limit), default=2**20) - 1) // 2


def _batches(token_ids: Sequence[Sequence[int]], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the contexts in batches of one token length each: nothing is padded."""
    by_length = sorted(range(len(token_ids)), key=lambda index: len(token_ids[index]))
    for _, group in groupby(by_length, key=lambda index: len(token_ids[index])):
        rows = list(group)
        for first in range(0, len(rows), size):
            yield np.array(rows[first : first + size])


def _score(
    language_model: PreTrainedModel, contexts: Sequence[Sequence[int]], blocks: Sequence[Block]
) -> Iterator[tuple[Block, NDArray[np.float64]]]:
    """Yield each block with log p(sentence | context), (B, n), for B contexts of equal length."""
    device = language_model.device
    tokens = torch.tensor(contexts, device=device)  # (B, P + 1)
    prefix = tokens.shape[1] - 1
    cache = DynamicCache()
    if prefix:
        language_model(
            tokens[:, :-1],
            use_cache=True,
            **cache_argument(language_model, cache),
            **last_logits(language_model),
        )
    for block in blocks:
        row = torch.from_numpy(block.tokens).to(device).repeat(len(contexts), 1)  # (B, T)
        row[:, 0] = tokens[:, -1]
        positions = torch.from_numpy(block.depths).to(device) + prefix  # (T,)
        logits = language_model(
            row,
            attention_mask=_mask(block, prefix, language_model),
            position_ids=positions.expand_as(row),
            use_cache=True,
            **cache_argument(language_model, cache),
        ).logits  # (B, T, V)
        cache.crop(-row.shape[1])  # leaves the context's own part
        yield block, block.totals(_edge_scores(logits, block))


def _mask(block: Block, prefix: int, language_model: PreTrainedModel) -> Tensor:
    """Return the additive attention mask (1, 1, T, P + T): the whole context, own ancestors."""
    visible = torch.from_numpy(np.pad(block.visible, ((0, 0), (prefix, 0)), constant_values=True))
    mask = torch.zeros(visible.shape, dtype=language_model.dtype)
    mask.masked_fill_(~visible, torch.finfo(mask.dtype).min)
    return mask[None, None].to(language_model.device)


def _edge_scores(logits: Tensor, block: Block) -> NDArray[np.float32]:
    """Return the log-probability of every edge, (B, E), from logits (B, T, V)."""
    nodes, following = torch.from_numpy(block.edges).to(logits.device)
    # A few nodes at a time: what their sum writes on the way stays in the processor's cache, and
    # of a half-precision network's logits no whole copy in float32 is made.
    parts = torch.split(logits.flatten(0, 1), _NODES_AT_ONCE)
    norms = torch.cat([part.float().logsumexp(dim=-1) for part in parts]).view(logits.shape[:2])
    scores = logits[:, nodes, following].float() - norms[:, nodes]  # (B, E)
    result: NDArray[np.float32] = scores.cpu().numpy()
    return result


def _verify(
    language_model: PreTrainedModel, context: list[int], sentence: list[int], packed: float
) -> None:
    """Compare one packed pair with the plain computation: some networks ignore 4-D masks."""
    tokens = torch.tensor([context + sentence], device=language_model.device)  # (1, L)
    log_probabilities = language_model(tokens).logits[0, :-1].float().log_softmax(dim=-1)
    plain = log_probabilities.gather(1, tokens[0, 1:, None])[len(context) - 1 :].sum().item()
    if not abs(plain - packed) <= tolerance(language_model) * len(sentence):
        raise UserError(
            f"--lm: {type(language_model).__name__} does not score packed sentences as it scores "
            f"them one by one ({packed:.4f} for {plain:.4f} nats). Score them one by one "
            "(packed=False), or name a language model that takes 4-D attention masks, such as gpt2."
        )


def tolerance(language_model: PreTrainedModel) -> float:
    """Return how far two ways of summing may lie apart, in nats a token."""
    half = any(isinstance(module, HalfLinear) for module in language_model.modules())
    return 1e-3 if language_model.dtype == torch.float32 and not half else 0.1


@contextmanager
def _evaluating(language_model: PreTrainedModel) -> Iterator[None]:
    """Switch dropout off, and leave the network as it was found."""
    training = [module for module in language_model.modules() if module.training]
    language_model.train(False)
    try:
        yield
    finally:
        for module in training:
            module.training = True
