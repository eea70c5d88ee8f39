"""What a referrer gets of a sale, in whole minor units: nothing is lost or made by rounding.

Half units go to the even neighbour (ROUND_HALF_EVEN). The parts of a sale are rounded together: each is what the sum
up to it comes to, less the sum before it. Refunds in the same way: after so much of a sale is refunded, that share of
each part is taken back, whatever the single refunds were; after all of it, all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Rate:
    """Either a percentage of a sale, or a fixed amount in minor units."""

    percent: Decimal | None = None
    fixed: int | None = None

    def of(self, basis: int) -> Decimal:
        """What it comes to, not rounded."""
        if self.percent is None:
            return Decimal(self.fixed or 0)
        return _EXACT.divide(_EXACT.multiply(Decimal(basis), self.percent), Decimal(100))

    def __str__(self) -> str:
        return f"{self.fixed} fixed" if self.percent is None else f"{self.percent.normalize():f}%"


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate that holds from so many sales, and so much turnover (minor units), of a referrer on."""

    rate: Rate
    sales: int = 0
    turnover: int = 0


def rate_for(usual: Rate, tiers: Sequence[Tier], sales: int, turnover: int) -> Rate:
    """The rate of the last tier that a referrer has reached."""
    reached = [tier.rate for tier in tiers if sales >= tier.sales and turnover >= tier.turnover]
    return reached[-1] if reached else usual


def shares(basis: int, rates: Sequence[Rate]) -> list[int]:
    """What each level gets of a sale; together never more than the sale."""
    sums, exact = [0], Decimal(0)
    for rate in rates:
        exact = _EXACT.add(exact, rate.of(basis))
        sums.append(min(_whole(exact), basis))
    return [after - before for before, after in pairwise(sums)]


def taken_back(share: int, basis: int, refunded: int) -> int:
    """How much of a share is taken back once so much of the sale is refunded."""
    return share if refunded >= basis else _whole(_EXACT.divide(Decimal(share * refunded), Decimal(basis)))


def _whole(exact: Decimal) -> int:
    return int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))
