"""Do the maps depend on the text and on what the network has learnt?

After Adebayo et al. 2018, Sanity Checks for Saliency Maps (arXiv 1810.03292): a map that stays as
it is when the target or the weights are others shows edges and centres, not the model.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn


def rank_correlation(maps: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Return Spearman's rho of each map with its other one, (N, gh, gw) each to (N,).

    NaN where one of the two is constant.
    """
    ranked = []
    for given in (maps, others):
        order = stats.rankdata(given.reshape(len(given), -1), axis=1)  # (N, gh * gw)
        ranked.append(order - order.mean(1, keepdims=True))
    product = (ranked[0] * ranked[1]).sum(1)
    scale = np.sqrt((ranked[0] ** 2).sum(1) * (ranked[1] ** 2).sum(1))
    rho: NDArray[np.float64] = np.full(len(product), np.nan)
    np.divide(product, scale, out=rho, where=scale > 0)
    return rho


@contextmanager
def shuffled(modules: Sequence[nn.Module], seed: int) -> Iterator[None]:
    """Shuffle the values within each parameter of some modules; bring them back afterwards.

    The weights keep their distribution and lose what was learnt. They come back bit for bit, after
    an exception too.
    """
    # A parameter that several modules share is one parameter.
    parameters = list({id(p): p for module in modules for p in module.parameters()}.values())
    saved = [parameter.detach().clone() for parameter in parameters]
    generator = torch.Generator().manual_seed(seed)
    try:
        with torch.no_grad():
            for parameter in parameters:
                order = torch.randperm(parameter.numel(), generator=generator)
                flat = parameter.flatten()[order.to(parameter.device)]
                parameter.copy_(flat.view_as(parameter))
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, saved, strict=True):
                parameter.copy_(value)
