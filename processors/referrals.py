"""Commissions for referrers: of a sale, and back again when it is refunded."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, Reject, Retry, processor
from jobdesk_processors.money import DECIMALS, Amount, Currency, major, minor

Name = Annotated[str, Field(pattern=r"^\S(.{0,198}\S)?$")]


@processor("referral-commission", queue="referral-commission", timeout="1m")
def pay_commission(
    ctx: Context,
    source: Name,
    amount: Amount | None = None,
    currency: Currency | None = None,
    referrers: list[Name] = [],  # noqa: B006  pydantic copies it
    rule: str | None = None,
    refund: Name | None = None,
) -> dict[str, Any]:
    """Give the referrers of a sale their commission; with a refund, take back its share."""
    entry: dict[str, Any] = {"source": source, "refund": refund, "currency": currency, "basis": None}
    if refund is not None:
        if referrers or rule:
            raise Reject("a refund is of a sale that is recorded: leave out referrers and rule", "refund")
        if amount is not None:
            if currency is None:
                raise Reject("an amount needs its currency; without both, all that is left is refunded", "currency")
            entry["basis"] = minor(amount, currency)
        return _recorded(ctx, entry)
    if amount is None or currency is None:
        raise Reject("give the amount and the currency of the sale", "amount")
    chosen = _rule(ctx.settings["referrals"]["rules"], rule)
    if chosen["currency"] not in ("", currency):
        raise Reject(f"rule '{chosen['name']}' is for {chosen['currency']}, the sale is in {currency}", "currency")
    if not 1 <= len(referrers) <= 1 + len(chosen["levels"]):
        raise Reject(
            f"rule '{chosen['name']}' has {1 + len(chosen['levels'])} levels: give so many referrers at most", "levels"
        )
    if len(set(referrers)) < len(referrers):
        raise Reject("one referrer stands there twice", "referrers")
    entry |= {"basis": minor(amount, currency), "decimals": DECIMALS[currency], "referrers": referrers}
    return _recorded(ctx, entry | {"rule": _in_minor_units(chosen, currency)})


def _rule(rules: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    if not rules:
        raise Reject(
            'no commission is configured: write [[referrals.rules]] with a name and percent = "10"', "NotConfigured"
        )
    if name is None:
        return rules[0]
    found = next((one for one in rules if one["name"] == name), None)
    if found is None:
        raise Reject(f"there is no rule '{name}': there are {', '.join(one['name'] for one in rules)}", "NotConfigured")
    return found


def _in_minor_units(rule: Mapping[str, Any], currency: str) -> dict[str, Any]:
    def units(value: str | None) -> int | None:
        return None if value is None else minor(Decimal(value), currency)

    tiers = [
        {
            "percent": one["percent"],
            "fixed": units(one["fixed"]),
            "sales": one["sales"],
            "turnover": units(one["turnover"]),
        }
        for one in rule["tiers"]
    ]
    amounts = {key: units(rule[key]) for key in ("fixed", "most", "most_a_month")}
    return {"name": rule["name"], "percent": rule["percent"], "levels": rule["levels"], "tiers": tiers, **amounts}


def _recorded(ctx: Context, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Write it into the book, and say what stands there."""
    try:
        written = ctx.book("referrals", entry)
    except Reject as error:
        if error.reason == "NotFound":
            raise Retry(f"{error}: it may come yet") from None
        raise
    if written["existed"]:
        ctx.log.info("it was recorded before: nothing has changed")
    made = [
        {
            "referrer": one["referrer"],
            "level": one["level"],
            "amount": major(one["amount"], one["currency"]),
            "rate": one["rate"],
        }
        for one in written["transactions"]
    ]
    first = written["transactions"][0]
    total = sum(one["amount"] for one in written["transactions"])
    return {
        "source": entry["source"],
        "refund": entry["refund"],
        "currency": first["currency"],
        "total": major(total, first["currency"]),
        "rule": first["rule"],
        "commissions": made,
        "existed": written["existed"],
    }
