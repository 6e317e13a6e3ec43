from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from mapcap.networks.decoding import beam_search, decode, nucleus, pick_best

STOPS = {7, 0}
VOCABULARY = 30
WIDTH, PREFIX = 32, 4


@pytest.fixture(scope="module")
def model(make_gpt2: Callable[..., GPT2LMHeadModel]) -> GPT2LMHeadModel:
    return make_gpt2(VOCABULARY, width=WIDTH, seed=9)


@pytest.fixture(scope="module")
def prefixes() -> Tensor:
    torch.manual_seed(10)
    return torch.randn(6, PREFIX, WIDTH)


class TakesNoNumber(GPT2LMHeadModel):
    """A network that makes the logits of every token, whatever is asked."""

    def forward(self, *arguments: Any, **options: Any) -> Any:
        return super().forward(*arguments, **options)


def test_only_the_last_token_of_a_prefix_gets_logits(
    model: GPT2LMHeadModel, prefixes: Tensor
) -> None:
    made: list[int] = []
    with torch.inference_mode():
        hook = model.lm_head.register_forward_hook(lambda *call: made.append(call[-1].shape[1]))
        few = decode(model, prefixes, STOPS, 5, pick_best)
        hook.remove()
        assert len(made) > 1 and set(made) == {1}
        other = TakesNoNumber(model.config).eval()
        other.load_state_dict(model.state_dict())
        assert [row.ids for row in decode(other, prefixes, STOPS, 5, pick_best)] == [
            row.ids for row in few
        ]


@dataclass(frozen=True)
class Beam:
    ids: tuple[int, ...] = ()
    total: float = 0.0
    stopped: bool = False

    @property
    def mean(self) -> float:
        return self.total / len(self.ids)


@torch.inference_mode()
def plain_beam_search(
    model: GPT2LMHeadModel, prefix: Tensor, beams: int, max_tokens: int
) -> list[Beam]:
    """One image, hypothesis by hypothesis, without a cache."""
    running = [Beam()]
    for _ in range(max_tokens):
        successors = []
        for beam in running:
            if beam.stopped:
                successors.append(beam)
                continue
            words = model.transformer.wte.weight[list(beam.ids)]
            logits = model(inputs_embeds=torch.cat((prefix, words))[None]).logits[0, -1]
            for token, log_p in enumerate(logits.double().log_softmax(-1).tolist()):
                ids, total = (*beam.ids, token), beam.total + log_p
                successors.append(Beam(ids, total, token in STOPS))
        running = sorted(successors, key=lambda beam: -beam.mean)[:beams]
        if all(beam.stopped for beam in running):
            break
    return running


@pytest.mark.parametrize("beams", [1, 4])
def test_beam_search_is_that_of_a_plain_one(
    beams: int, model: GPT2LMHeadModel, prefixes: Tensor
) -> None:
    with torch.inference_mode():
        found = beam_search(model, prefixes, STOPS, 9, beams)
    plain = [plain_beam_search(model, prefix, beams, 9) for prefix in prefixes]
    assert [[tokens.ids for tokens in row] for row in found] == [
        [beam.ids for beam in row] for row in plain
    ]
    for row, others in zip(found, plain, strict=True):
        for tokens, beam in zip(row, others, strict=True):
            assert tokens.log_probability == pytest.approx(beam.total, abs=1e-3)
    assert len({len(row[0].ids) for row in found}) > 1
    assert any(row[0].ids[-1] in STOPS for row in found)


def test_more_beams_than_tokens_are_refused(model: GPT2LMHeadModel, prefixes: Tensor) -> None:
    with pytest.raises(ValueError, match="between 1 and 30"):
        beam_search(model, prefixes, STOPS, 9, 31)


P = torch.tensor([0.05, 0.5, 0.15, 0.3])


@pytest.mark.parametrize(
    ("top_p", "temperature", "expected"),
    [
        (1.0, 1.0, [0.05, 0.5, 0.15, 0.3]),
        (0.85, 1.0, [0.0, 0.5 / 0.95, 0.15 / 0.95, 0.3 / 0.95]),
        (0.6, 1.0, [0.0, 0.625, 0.0, 0.375]),
        (0.01, 1.0, [0.0, 1.0, 0.0, 0.0]),
        (1.0, 0.5, [v**2 / sum(p**2 for p in P.tolist()) for v in P.tolist()]),
    ],
)
def test_nucleus_draws_from_the_most_probable_tokens(
    top_p: float, temperature: float, expected: list[float]
) -> None:
    pick, rows = nucleus(top_p, temperature, [(1, i) for i in range(4000)]), 4000
    drawn = pick(P.log().expand(rows, -1), list(range(rows)))
    shares = torch.bincount(drawn, minlength=4) / rows
    for share, wanted in zip(shares.tolist(), expected, strict=True):
        assert share == pytest.approx(wanted, abs=4 * (wanted * (1 - wanted) / rows) ** 0.5)


def test_a_row_draws_the_same_whoever_else_is_there() -> None:
    torch.manual_seed(2)
    log_p = torch.randn(6, 50).log_softmax(-1)
    alone, together = (
        nucleus(0.9, 1.0, [(3, i) for i in range(6)]),
        nucleus(0.9, 1.0, [(3, i) for i in range(6)]),
    )
    first = together(log_p, list(range(6)))
    assert torch.equal(alone(log_p[:2], [0, 1]), first[:2])
    # After row 0 has left, row 1 goes on with its own stream.
    assert torch.equal(alone(log_p[1:2], [1]), together(log_p, list(range(6)))[1:2])
    assert not torch.equal(
        nucleus(0.9, 1.0, [(4, i) for i in range(6)])(log_p, list(range(6))), first
    )


def test_a_nucleus_of_nearly_a_whole_vocabulary_is_searched_whole() -> None:
    """A peaked row draws as it does alone, and a flat one from 0.9 of all tokens."""
    rows, vocabulary = 2000, 1000
    peaked = torch.full((1, vocabulary), 1e-5).index_fill(1, torch.tensor([70]), 1.0).log()
    flat = torch.linspace(1.0, 1.1, vocabulary).log().expand(rows, -1)
    log_p = torch.cat([peaked, flat]).log_softmax(-1)
    drawn = nucleus(0.9, 1.0, [(1, i) for i in range(rows + 1)])(log_p, list(range(rows + 1)))
    assert drawn[0] == nucleus(0.9, 1.0, [(1, i) for i in range(1)])(log_p[:1], [0])[0] == 70
    # The likeliest are the last; the first tenth, less probable each, is left out.
    p = log_p[1].exp().flip(0)
    kept = int((p.cumsum(0) - p < 0.9).sum())
    assert vocabulary - kept <= drawn[1:].min() < vocabulary - kept + 20
    assert len(set(drawn[1:].tolist())) > 0.8 * kept


@pytest.mark.parametrize(("top_p", "temperature"), [(0.0, 1.0), (1.1, 1.0), (0.9, 0.0)])
def test_senseless_options_are_refused(top_p: float, temperature: float) -> None:
    with pytest.raises(ValueError, match="top_p is in"):
        nucleus(top_p, temperature, ())
