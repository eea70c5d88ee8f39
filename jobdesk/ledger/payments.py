"""The book of payments: which attempt of a payment is made, written before its provider is asked.

So the attempt, and with it the idempotency key, is the same whatever is killed meanwhile; an attempt follows another
only when it is known that nothing was charged by that.
"""

from collections.abc import Mapping
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.errors import Refused
from jobdesk.core.job import Job
from jobdesk.ledger.database import Ledger, Tx

_COLUMNS = (
    "provider", "payment", "amount", "currency", "decimals", "state", "attempt", "method", "reference", "code",
    "message", "created_at", "changed_at", "key_at", "next_at", "job",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM payment"
_OPEN = ("charging", "pending")


def write(tx: Tx, job: Job, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Begin an attempt, or say what came of one; the row as it stands then.

    Keys of the row beside its columns: `now`, and `unknown`: an attempt was begun before whose outcome nobody knows.
    Instants are epoch seconds.

    Raises:
        Refused: the payment is another than the one of this name, or must not be tried again.
    """
    return _begin(tx, job, entry) if entry["step"] == "begin" else _settle(tx, entry)


def _begin(tx: Tx, job: Job, entry: Mapping[str, Any]) -> dict[str, Any]:
    """`attempts` and `max_age_s` are limits; `nothing`: the provider knows nothing of the attempt, and never will."""
    row = _row(tx, entry)
    if row is None:
        _insert(tx, job, entry)
        return _answer(tx, entry, unknown=False)
    if row["state"] == "invalid":  # the provider has nothing of it: it may be corrected
        values = (entry["amount"], entry["currency"], entry["decimals"], entry["provider"], entry["payment"])
        tx.run("UPDATE payment SET amount = ?, currency = ?, decimals = ? WHERE provider = ? AND payment = ?", values)
    for key in ("amount", "currency"):
        if row["state"] != "invalid" and row[key] != entry[key]:
            raise Refused(f"payment {row['payment']} was begun with {key} {row[key]}, not {entry[key]}")
    if row["state"] in _OPEN and not entry.get("nothing"):
        return _answer(tx, entry, unknown=True)
    if row["state"] == "succeeded":
        return _answer(tx, entry, unknown=False)
    _check(row, entry, tx.now)
    if row["state"] == "declined" and row["next_at"] is not None and tx.now < row["next_at"]:
        return _answer(tx, entry, unknown=False)
    tx.run(
        "UPDATE payment SET state = 'charging', attempt = attempt + 1, method = ?, key_at = ?, changed_at = ?, "
        "next_at = NULL, job = ? WHERE provider = ? AND payment = ?",
        (entry["method"], tx.now, tx.now, job.id, entry["provider"], entry["payment"]),
    )
    return _answer(tx, entry, unknown=False)


def _check(row: Mapping[str, Any], entry: Mapping[str, Any], now: float) -> None:
    name = f"payment {row['payment']}"
    said = f"{row['code']}: {row['message']}" if row["message"] else row["code"] or "no answer"
    if row["state"] == "refused" and row["method"] == entry["method"]:
        raise Refused(f"{name} was declined for good ({said}): give another payment_method")
    if row["attempt"] >= entry["attempts"]:
        raise Refused(f"{name} is given up after {row['attempt']} attempts ({said}): raise payments.attempts for more")
    if now - row["created_at"] > entry["max_age_s"]:
        raise Refused(f"{name} is given up, {iso(row['created_at'])} is too long ago ({said}): raise payments.max_age")


def _insert(tx: Tx, job: Job, entry: Mapping[str, Any]) -> None:
    tx.run(
        "INSERT INTO payment (provider, payment, amount, currency, decimals, state, attempt, method, created_at, "
        "changed_at, key_at, job) VALUES (?, ?, ?, ?, ?, 'charging', 1, ?, ?, ?, ?, ?)",
        (
            *(entry[key] for key in ("provider", "payment", "amount", "currency", "decimals", "method")),
            tx.now, tx.now, tx.now, job.id,
        ),
    )  # fmt: skip


def _settle(tx: Tx, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What came of an attempt; what a former one comes to say, or one after the payment succeeded, changes nothing."""
    wait_s = entry.get("wait_s")
    tx.run(
        "UPDATE payment SET state = ?, reference = coalesce(?, reference), code = ?, message = ?, changed_at = ?, "
        "next_at = ? WHERE provider = ? AND payment = ? AND attempt = ? AND state <> 'succeeded'",
        (
            entry["state"], entry.get("reference"), entry.get("code"), entry.get("message"), tx.now,
            None if wait_s is None else tx.now + wait_s, entry["provider"], entry["payment"], entry["attempt"],
        ),
    )  # fmt: skip
    return _answer(tx, entry, unknown=False)


def _row(tx: Tx, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    found = tx.row(f"{_SELECT} WHERE provider = ? AND payment = ?", (entry["provider"], entry["payment"]))
    return None if found is None else dict(zip(_COLUMNS, found, strict=True))


def _answer(tx: Tx, entry: Mapping[str, Any], *, unknown: bool) -> dict[str, Any]:
    row = _row(tx, entry)
    assert row is not None
    return row | {"unknown": unknown, "now": tx.now}


def every(ledger: Ledger, word: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Payments, the last changed first; with `word` only those whose name, provider, state or code contains it."""
    rows = ledger.rows(
        f"{_SELECT} WHERE instr(lower(payment || ' ' || provider || ' ' || state || ' ' || coalesce(code, '')), "
        "lower(?)) ORDER BY changed_at DESC, payment LIMIT ?",
        (word, limit),
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
