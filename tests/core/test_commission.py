"""Commissions to the last unit: nothing is lost or made by rounding, whatever the rates and refunds are."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.commission import Rate, Tier, rate_for, shares, taken_back

BASIS = st.integers(1, 10**15)
PERCENT = st.decimals(0, 100, places=4, allow_nan=False)
RATES = st.lists(PERCENT, min_size=1, max_size=6).filter(lambda rates: sum(rates) <= 100)


def rounded(exact: Fraction) -> int:
    """Half to even, by another way than the code's."""
    below = exact.numerator // exact.denominator
    rest = exact - below
    return below + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1))


@given(BASIS, RATES)
def test_the_shares_are_the_rounded_sum_and_each_is_next_to_its_own(basis: int, percents: list[Decimal]) -> None:
    parts = shares(basis, [Rate(one) for one in percents])
    exact = [Fraction(basis) * Fraction(one) / 100 for one in percents]
    assert sum(parts) == rounded(sum(exact, Fraction(0))) <= basis
    assert all(part >= 0 and abs(part - true) <= 1 for part, true in zip(parts, exact, strict=True))
    assert parts[0] == rounded(exact[0])


@given(BASIS, st.integers(0, 10**15), RATES)
def test_fixed_amounts_never_give_away_more_than_the_sale(basis: int, fixed: int, percents: list[Decimal]) -> None:
    parts = shares(basis, [Rate(fixed=fixed), *(Rate(one) for one in percents)])
    assert parts[0] == min(fixed, basis) and sum(parts) <= basis and min(parts) >= 0


@given(BASIS, st.data())
def test_refunds_take_back_each_share_once_however_they_are_split(basis: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, basis))
    cuts = [*sorted(data.draw(st.lists(st.integers(1, basis), max_size=8))), basis]
    back, before = [], 0
    for cut in cuts:
        back.append(taken_back(share, basis, cut) - taken_back(share, basis, before))
        before = cut
        assert sum(back) == taken_back(share, basis, cut) == rounded(Fraction(share * cut, basis))
    assert sum(back) == share and min(back) >= 0


@pytest.mark.parametrize(
    ("basis", "percent", "wanted"), [(5, "10", 0), (15, "10", 2), (25, "10", 2), (1, "50", 0), (3, "50", 2)]
)
def test_half_units_go_to_the_even_neighbour(basis: int, percent: str, wanted: int) -> None:
    assert shares(basis, [Rate(Decimal(percent))]) == [wanted]
    exact = (Decimal(basis) * Decimal(percent) / 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert exact == wanted


def test_the_last_tier_that_is_reached_holds() -> None:
    usual, better, best = Rate(Decimal(10)), Rate(Decimal(12)), Rate(Decimal(15))
    tiers = [Tier(better, sales=10), Tier(best, sales=100, turnover=5000)]
    reached = [rate_for(usual, tiers, *done) for done in ((9, 9999), (10, 0), (100, 4999), (100, 5000))]
    assert reached == [usual, better, better, best]
