"""The book of referral commissions: each sale earns once, each refund takes back once, and the statistics agree."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from jobdesk.core.commission import Rate, Tier, rate_for, shares, taken_back
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger, Row, Tx

_COLUMNS = (
    "source", "refund", "level", "referrer", "basis", "amount", "currency", "decimals", "rule", "rate", "at", "job",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM commission"
_STATISTICS = ("referrer", "currency", "decimals", "sales", "turnover", "earned", "reversed", "last_at")


def write(tx: Tx, job: Job, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Record a sale, or with a `refund` one of those; its transactions, and whether they stood there already.

    Raises:
        Refused: the sale or the refund is recorded otherwise, or more is refunded than was paid.
        NotFound: the sale of a refund is not recorded.
    """
    earned = _of(tx, entry["source"], "")
    return _refund(tx, job, entry, earned) if entry.get("refund") else _sale(tx, job, entry, earned)


def _of(tx: Tx, source: str, refund: str) -> list[dict[str, Any]]:
    rows = tx.rows(f"{_SELECT} WHERE source = ? AND refund = ? ORDER BY level", (source, refund))
    return [_named(row) for row in rows]


def _named(row: Row) -> dict[str, Any]:
    return dict(zip(_COLUMNS, row, strict=True))


def _sale(tx: Tx, job: Job, entry: Mapping[str, Any], earned: list[dict[str, Any]]) -> dict[str, Any]:
    source, referrers = entry["source"], entry["referrers"]
    if earned:
        recorded = [one["referrer"] for one in earned], earned[0]["basis"], earned[0]["currency"]
        if recorded != (list(referrers), entry["basis"], entry["currency"]):
            raise Refused(f"sale {source} is recorded with other referrers, or another amount or currency")
        return {"transactions": earned, "existed": True}
    rule = entry["rule"]
    rates = [_rate_of(tx, rule, referrers[0], entry["currency"]), *(Rate(Decimal(one)) for one in rule["levels"])]
    parts = shares(entry["basis"], rates[: len(referrers)])
    if rule["most"] is not None:
        parts[0] = min(parts[0], rule["most"])
    for level, (referrer, rate, part) in enumerate(zip(referrers, rates, parts, strict=False), 1):
        room = _room(tx, rule, referrer, entry["currency"])
        amount = part if room is None else min(part, room)
        own = level == 1
        _add(tx, job, entry, (level, referrer, entry["basis"], amount, rule["name"], str(rate)))
        _count(tx, entry, referrer, sales=int(own), turnover=entry["basis"] if own else 0, earned=amount)
    return {"transactions": _of(tx, source, ""), "existed": False}


def _rate_of(tx: Tx, rule: Mapping[str, Any], referrer: str, currency: str) -> Rate:
    found = tx.row("SELECT sales, turnover FROM referrer WHERE name = ? AND currency = ?", (referrer, currency))
    tiers = [Tier(_rate(one), one["sales"], one["turnover"]) for one in rule["tiers"]]
    return rate_for(_rate(rule), tiers, *(found or (0, 0)))


def _rate(said: Mapping[str, Any]) -> Rate:
    return Rate(None if said["percent"] is None else Decimal(said["percent"]), said["fixed"])


def _room(tx: Tx, rule: Mapping[str, Any], referrer: str, currency: str) -> int | None:
    """What a referrer may still get this month (UTC), less what was taken back; None: no limit."""
    if rule["most_a_month"] is None:
        return None
    day = datetime.fromtimestamp(tx.now, UTC)
    since = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    found = tx.row(
        "SELECT coalesce(sum(amount), 0) FROM commission WHERE referrer = ? AND currency = ? AND at >= ? AND rule = ?",
        (referrer, currency, since, rule["name"]),
    )
    assert found is not None
    return max(0, int(rule["most_a_month"]) - max(0, int(found[0])))


def _refund(tx: Tx, job: Job, entry: Mapping[str, Any], earned: list[dict[str, Any]]) -> dict[str, Any]:
    source, refund = entry["source"], entry["refund"]
    if not earned:
        raise NotFound(f"sale {source} is not recorded")
    recorded, wanted = _of(tx, source, refund), entry["basis"]
    if recorded:
        if wanted not in (None, recorded[0]["basis"]):
            raise Refused(f"refund {refund} of sale {source} is recorded with another amount")
        return {"transactions": recorded, "existed": True}
    if entry["currency"] not in (None, earned[0]["currency"]):
        raise Refused(f"sale {source} was in {earned[0]['currency']}, its refund is in {entry['currency']}")
    basis = earned[0]["basis"]
    found = tx.row(
        "SELECT coalesce(sum(basis), 0) FROM commission WHERE source = ? AND level = 1 AND refund <> ''", (source,)
    )
    assert found is not None
    before = int(found[0])
    amount = basis - before if wanted is None else wanted
    if before >= basis or before + amount > basis:
        raise Refused(f"refund {refund} is more than is left of sale {source}: {before} of {basis} are refunded")
    for one in earned:
        back = taken_back(one["amount"], basis, before + amount) - taken_back(one["amount"], basis, before)
        known = {"source": source, "refund": refund, "currency": one["currency"], "decimals": one["decimals"]}
        _add(tx, job, known, (one["level"], one["referrer"], amount, -back, one["rule"], one["rate"]))
        own = one["level"] == 1
        whole = own and before + amount == basis
        _count(tx, known, one["referrer"], sales=-int(whole), turnover=-amount if own else 0, reversed=back)
    return {"transactions": _of(tx, source, refund), "existed": False}


def _add(tx: Tx, job: Job, entry: Mapping[str, Any], values: Sequence[Any]) -> None:
    tx.run(
        "INSERT INTO commission (level, referrer, basis, amount, rule, rate, source, refund, currency, decimals, at, "
        "job) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, entry["source"], entry.get("refund") or "", entry["currency"], entry["decimals"], tx.now, job.id),
    )


def _count(
    tx: Tx, entry: Mapping[str, Any], referrer: str, *, sales: int, turnover: int, earned: int = 0, reversed: int = 0
) -> None:
    tx.run(
        "INSERT INTO referrer (name, currency, decimals, sales, turnover, earned, reversed, last_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sales = sales + excluded.sales, "
        "turnover = turnover + excluded.turnover, earned = earned + excluded.earned, "
        "reversed = reversed + excluded.reversed, last_at = excluded.last_at",
        (referrer, entry["currency"], entry["decimals"], sales, turnover, earned, reversed, tx.now),
    )


def transactions(
    ledger: Ledger, referrer: str | None = None, source: str | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Transactions, newest first, of one referrer or one sale if asked for."""
    rows = ledger.rows(
        f"{_SELECT} WHERE (?1 IS NULL OR referrer = ?1) AND (?2 IS NULL OR source = ?2) ORDER BY seq DESC LIMIT ?3",
        (referrer, source, limit),
    )
    return [_named(row) for row in rows]


def statistics(ledger: Ledger) -> list[dict[str, Any]]:
    """What it comes to for each referrer and currency, who has most first."""
    rows = ledger.rows(
        "SELECT name, currency, decimals, sales, turnover, earned, reversed, last_at FROM referrer "
        "ORDER BY currency, earned - reversed DESC, name"
    )
    return [dict(zip(_STATISTICS, row, strict=True)) for row in rows]
