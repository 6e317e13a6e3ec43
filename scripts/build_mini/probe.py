"""Whether a picture shows a human: a logistic regression on features.

TinyImageNet has no sentences, so the captioner's texts for its photos learn from this who is in
them. It is taught by people's sentences of other photos, by kinds of things that are mostly
photographed alone and, since sentences of other photos alone tell little about these, by some of
these themselves, which were looked at one by one.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.people import read_judgements

LABELLED = Path(__file__).with_name("labelled.tsv")
"""Training photos of things, and whether they show a human or a part of one: judged by eye."""
FALSE, MISSED = 0.03, 0.15
"""Shares of the labelled photos without a human that are taken for humans, and of those with one
that are taken for certain to show none."""
_PENALTY = 3e-5
_STEPS = 200
_LABELLED_COUNT = 3.0
"""How much a labelled photo counts."""
_FOLDS = 5


@dataclass(frozen=True)
class Probe:
    """A linear score, from which score on a human is there, and up to which one surely is not."""

    weight: Tensor
    """(D,) for normalised features."""
    bias: float
    threshold: float
    surely_none: float

    def score(self, features: Tensor) -> Tensor:
        """Log-odds that pictures show a human: features (N, D) to (N,)."""
        scores: Tensor = F.normalize(features, dim=1) @ self.weight + self.bias
        return scores

    def sees(self, features: Tensor) -> Tensor:
        """Whether pictures show a human: (N,) bool."""
        return self.score(features) > self.threshold

    def verdicts(self, features: Tensor) -> list[bool | None]:
        """Whether pictures (N, D) show a human; None where that is not certain."""
        return [
            True if score > self.threshold else False if score < self.surely_none else None
            for score in self.score(features).tolist()
        ]

    def save(self, path: Path) -> None:
        """Write it for later steps."""
        torch.save(vars(self), path)


def load_probe(path: Path) -> Probe:
    """Read what `Probe.save` wrote."""
    return Probe(**torch.load(path, weights_only=True))


def read_labelled() -> dict[str, bool]:
    """Read which of the labelled photos show a human."""
    return read_judgements(LABELLED)


def fit_probe(
    humans: Tensor, nobody: Tensor, alone: Tensor, labelled: Tensor, shown: Tensor
) -> Probe:
    """Fit features of photos with humans (a, D) against others (b, D) and things alone (c, D).

    `labelled` (n, D) are things of which `shown` (n,) bool says whether a human is there. The
    thresholds are chosen on their scores by probes that were fitted without them.
    """
    x = torch.cat([humans, nobody, alone, labelled])
    others = torch.zeros(len(nobody) + len(alone))
    y = torch.cat([torch.ones(len(humans)), others, shown.float()])
    counts = torch.ones(len(x))
    counts[-len(labelled) :] = _LABELLED_COUNT
    first, scores = len(x) - len(labelled), torch.zeros(len(labelled))
    for fold in range(_FOLDS):
        left_out = torch.arange(first + fold, len(x), _FOLDS)
        kept = torch.ones(len(x), dtype=torch.bool)
        kept[left_out] = False
        weight, bias = _fit(x[kept], y[kept], counts[kept])
        scores[fold::_FOLDS] = F.normalize(x[left_out], dim=1) @ weight + bias
    threshold = scores[~shown].quantile(1 - FALSE).item()
    surely_none = min(threshold, scores[shown].quantile(MISSED).item())
    return Probe(*_fit(x, y, counts), threshold, surely_none)


def _fit(x: Tensor, y: Tensor, counts: Tensor) -> tuple[Tensor, float]:
    x = F.normalize(x, dim=1)
    # Either side counts half.
    with_human = (counts * y).sum() / counts.sum()
    counts = counts / counts.mean() * torch.where(y > 0, 0.5 / with_human, 0.5 / (1 - with_human))
    weight = torch.zeros(x.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        wrong_by = F.binary_cross_entropy_with_logits(x @ weight + bias, y, counts)
        total = wrong_by + _PENALTY * (weight**2).sum() / 2
        torch.autograd.backward(total)
        return total

    solver.step(loss)
    return weight.detach(), bias.item()
