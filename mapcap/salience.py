"""The rules by which a pixel of a relevance map is salient; numpy alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MASS = "mass:"


def salient(view: ArrayLike, rule: str) -> NDArray[np.bool_]:
    """Tell which pixels of a map (H, W) are salient by a rule, (H, W) bool.

    `half`: at least the middle of the map's range (the poster's); `mean`: at least the map's mean;
    `mass:Q`: the smallest set of pixels with the share Q of the positive relevance (and all pixels
    equal to the least of them). Of a constant map every pixel is. Raises `ValueError` for another
    rule.
    """
    values = np.asarray(view, dtype=np.float64)
    low, high = values.min(), values.max()
    if rule == "half":
        cut = low + (high - low) / 2
    elif rule == "mean":
        cut = values.mean()
    else:
        cut = _mass_cut(values, mass_share(rule))
    # Rounding must not leave out the highest pixel.
    mask: NDArray[np.bool_] = values >= min(cut, high)
    return mask


def mass_share(rule: str) -> float:
    """Read Q of the rule `mass:Q`; `ValueError` unless it is one, with Q above 0 and at most 1."""
    share = rule.removeprefix(_MASS)
    if rule.startswith(_MASS) and share.isascii() and share.replace(".", "", 1).isdigit():
        q = float(share)
        if 0 < q <= 1:
            return q
    raise ValueError(f"{rule!r} is not half, mean or mass:Q with Q above 0 and at most 1")


def _mass_cut(values: NDArray[np.float64], share: float) -> float:
    """Return the least of the highest values that together have the share of the positive sum."""
    ordered = np.sort(values.clip(min=0), axis=None)[::-1]
    summed = np.cumsum(ordered)
    place = int(np.searchsorted(summed, share * summed[-1] * (1 - 1e-12)))
    return float(ordered[min(place, len(ordered) - 1)])


def is_rule(rule: str) -> bool:
    """Tell whether `salient` knows a rule."""
    try:
        return rule in ("half", "mean") or mass_share(rule) > 0
    except ValueError:
        return False
