from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.stats import wilson

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_case_worked_by_hand() -> None:
    # 8 of 10: z = 1.95996, z2 = 3.84146, scale = 1.384146, centre = (0.8 + 0.192073) / 1.384146
    # = 0.716740, half = 1.95996 / 1.384146 * sqrt(0.016 + 0.00960365) = 0.226578.
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.716740 - 0.226578, abs=2e-5)
    assert high == pytest.approx(0.716740 + 0.226578, abs=2e-5)


def test_the_ends_are_closed() -> None:
    # z2 / (n + z2) = 3.84146 / 13.84146 = 0.277533
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((1 - 0.277533, 1.0), abs=1e-6)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1


@PATIENT
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_solves_its_equation(case: tuple[int, int]) -> None:
    correct, total = case
    low, high = wilson(correct, total)
    assert 0 <= low <= Fraction(correct, total) <= high <= 1
    share = correct / total
    for end in (low, high):
        # Both ends p solve (share - p)^2 = z^2 p (1 - p) / n.
        assert (share - end) ** 2 == pytest.approx(
            1.959963984540054**2 * end * (1 - end) / total, abs=1e-9
        )


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (2, 1), (-1, 3)])
def test_what_is_no_share_is_refused(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(correct, total)
