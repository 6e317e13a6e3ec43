"""Whether a picture shows a human: a logistic regression on features, taught by people's sentences.

TinyImageNet has no sentences, so the captioner's texts for its photos learn from this who is in
them. The kinds of things that are mostly photographed alone are the examples of photos without.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_PENALTY = 3e-4
_STEPS = 200


@dataclass(frozen=True)
class Probe:
    """A linear score, and the score from which on a human is taken to be there."""

    weight: Tensor
    """(D,) for normalised features."""
    bias: float
    threshold: float

    def score(self, features: Tensor) -> Tensor:
        """Log-odds that pictures show a human: features (N, D) to (N,)."""
        scores: Tensor = F.normalize(features, dim=1) @ self.weight + self.bias
        return scores

    def sees(self, features: Tensor) -> Tensor:
        """Whether pictures show a human: (N,) bool."""
        return self.score(features) > self.threshold


def fit_probe(humans: Tensor, nobody: Tensor, alone: Tensor, wrong: float) -> Probe:
    """Fit features of photos with humans (a, D) against others (b, D) and things alone (c, D).

    The threshold is where at most the share `wrong` of the things is taken for humans.
    """
    x = F.normalize(torch.cat([humans, nobody, alone]), dim=1)
    y = torch.cat([torch.ones(len(humans)), torch.zeros(len(nobody) + len(alone))])
    # Either side counts half.
    counts = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
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
    fitted = Probe(weight.detach(), bias.item(), 0.0)
    return Probe(
        fitted.weight, fitted.bias, max(0.0, fitted.score(alone).quantile(1 - wrong).item())
    )
