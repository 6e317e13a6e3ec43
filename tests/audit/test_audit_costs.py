"""What a finding costs a class, and the order that follows."""

import numpy as np
import pytest

from mapcap.audit.cost import NOTHING, Cost, beyond, beyond_expected
from mapcap.audit.findings import Finding, discounted, ranked


def test_what_costs_most_comes_first_and_notes_last() -> None:
    costs = [("background", 0.0), ("confusion", 9.0), ("confusion", 8.0), ("label", 2.0)]
    given = [Finding(kind, f"{kind} {cost}", Cost(cost, 0, cost), {}) for kind, cost in costs]
    order = [one.title for one in ranked(given)]
    assert order == ["confusion 9.0", "confusion 8.0", "label 2.0", "background 0.0"]
    many = [Finding("word", str(i), Cost(i, 0, i), {}) for i in range(6)]
    assert [one.title for one in ranked(many)] == ["5", "4", "3"]


def test_the_cost_is_what_lies_beyond_the_error_rate_of_the_others() -> None:
    """22 of 25 wrong against 8 of 25: 14 more than these would have; Agresti and Caffo by hand."""
    concerned = np.arange(50) < 25
    wrong = np.isin(np.arange(50), [*range(22), *range(25, 33)])
    cost = beyond(concerned, wrong)
    half = 1.959964 * np.sqrt((23 * 4 + 9 * 18) / 27**3)
    ends = [25 * (14 / 27 + sign * half) for sign in (-1, 1)]
    assert (cost.images, cost.low, cost.high) == pytest.approx((14, *ends))
    assert str(cost) == "costs 14 images, 7 to 19"
    assert beyond(~concerned, wrong) == NOTHING, "they are wrong less often"
    assert beyond(np.ones(50, bool), wrong) == NOTHING, "nothing lacks it"


def test_the_interval_of_a_cost_holds_the_true_one() -> None:
    """Where a group is wrong in 60 % and the rest in 30 %, 95 % of the intervals hold the gap."""
    rng = np.random.default_rng(0)
    concerned = np.arange(100) < 40
    costs = [beyond(concerned, rng.random(100) < np.where(concerned, 0.8, 0.3)) for _ in range(400)]
    assert np.mean([cost.low <= 40 * 0.5 <= cost.high for cost in costs]) >= 0.93


def test_what_goes_with_no_error_is_a_note() -> None:
    """With correctness at random, at most 5 % of groups cost anything."""
    rng = np.random.default_rng(1)
    concerned = np.arange(100) < 40
    costs = [beyond(concerned, rng.permutation(100) < 50) for _ in range(400)]
    assert np.mean([cost != NOTHING for cost in costs]) <= 0.05


def test_a_confusion_costs_what_chance_does_not_give() -> None:
    cost = beyond_expected(20, 100, 2)
    share, half = 22 / 104, 1.959964 * np.sqrt(22 / 104 * 82 / 104 / 104)
    ends = [100 * (share + sign * half) - 2 for sign in (-1, 1)]
    assert (cost.images, cost.low, cost.high) == pytest.approx((18, *ends))
    assert beyond_expected(2, 100, 3).images == 0


def test_what_doubted_labels_explain_costs_less() -> None:
    found = Finding("slice", "s", Cost(4, 2, 4), {}, wrong=frozenset({1, 2, 3, 4}))
    (lowered,) = discounted([found], frozenset({1, 9}))
    assert lowered.cost == Cost(3, 1.5, 3)
