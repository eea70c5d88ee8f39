"""`[[referrals.rules]]`: what those get who brought a customer."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from jobdesk.sections.fields import Section, repeated

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=12)]
Amount = Annotated[Decimal, Field(ge=0, lt=10**12)]


class _Rated(Section):
    """Either a percentage of a sale, or a fixed amount."""

    percent: Percent | None = None
    fixed: Amount | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "_Rated":
        if (self.percent is None) == (self.fixed is None):
            raise ValueError("give percent or fixed: one of them")
        return self


class TierSettings(_Rated):
    """What holds from so many sales, and so much turnover, of a referrer on."""

    sales: int = Field(default=0, ge=0)
    turnover: Amount = Decimal(0)


class RuleSettings(_Rated):
    name: str = Field(min_length=1)
    currency: str = ""
    tiers: list[TierSettings] = []
    levels: list[Percent] = []
    most: Amount | None = None
    most_a_month: Amount | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "RuleSettings":
        named = (self.fixed, self.most, self.most_a_month, *(tier.fixed for tier in self.tiers))
        if not self.currency and (any(one is not None for one in named) or any(tier.turnover for tier in self.tiers)):
            raise ValueError(f"rule '{self.name}' names amounts: give its currency")
        most = max((one.percent or Decimal(0) for one in (self, *self.tiers)), default=Decimal(0))
        if most + sum(self.levels) > 100:
            raise ValueError(f"rule '{self.name}' gives away more than a sale: all levels together are above 100 %")
        reached = [(tier.sales, tier.turnover) for tier in self.tiers]
        if reached != sorted(reached):
            raise ValueError(f"the tiers of rule '{self.name}' are not in order: write the lowest first")
        return self


class ReferralSettings(Section):
    rules: list[RuleSettings] = []

    @field_validator("rules")
    @classmethod
    def _named_once(cls, rules: list[RuleSettings]) -> list[RuleSettings]:
        names = [rule.name for rule in rules]
        if (name := repeated(names)) is not None:
            raise ValueError(f"two rules are named '{name}': give one another name")
        return rules
