"""Rate limits: at most so many starts of a queue or of a type in any span of time.

The last starts of each limited queue or type are kept in a ring with as many slots as the limit
allows: the oldest of them and the span give the instant of the next, so the claim compares one number.
"""

from collections.abc import Mapping
from typing import Literal

from jobdesk.core.rate import Rate
from jobdesk.ledger.database import Ledger, Tx

Scope = Literal["queue", "type"]


def full(scope: Scope, name: str) -> str:
    """SQL: whether the limit of what the expression `name` names lets nothing start at `:now`.

    An instant further ahead than the span is from before the clock was set back, and counts for nothing.
    """
    return (
        f"EXISTS (SELECT 1 FROM rate r WHERE r.scope = '{scope}' AND r.name = {name} "
        "AND r.open_at > :now AND r.open_at <= :now + r.span_s)"
    )


def sync(ledger: Ledger, wanted: Mapping[tuple[Scope, str], Rate]) -> None:
    """Make the limits what the settings say; writes only when something differs."""
    known = {
        (scope, name): Rate(most, span_s)
        for scope, name, most, span_s in ledger.rows("SELECT scope, name, most, span_s FROM rate")
    }
    if known == wanted:
        return
    with ledger.write() as tx:
        for key in known.keys() - wanted.keys():
            _forget(tx, *key)
        for key, rate in wanted.items():
            if known.get(key) != rate:
                _forget(tx, *key)
                tx.run(
                    "INSERT INTO rate (scope, name, most, span_s) VALUES (?, ?, ?, ?)", (*key, rate.most, rate.span_s)
                )
        tx.wakes = True


def _forget(tx: Tx, scope: str, name: str) -> None:
    for table in ("rate", "rate_start"):
        tx.run(f"DELETE FROM {table} WHERE scope = ? AND name = ?", (scope, name))


def started(tx: Tx, queue: str, type_: str) -> None:
    """A job was claimed: note its start where a limit counts it."""
    for scope, name, most, span_s, starts in tx.rows(
        "SELECT scope, name, most, span_s, starts FROM rate "
        "WHERE (scope = 'queue' AND name = ?) OR (scope = 'type' AND name = ?)",
        (queue, type_),
    ):
        tx.run("INSERT OR REPLACE INTO rate_start VALUES (?, ?, ?, ?)", (scope, name, starts % most, tx.now))
        oldest = tx.row(
            "SELECT at FROM rate_start WHERE scope = ? AND name = ? AND slot = ?", (scope, name, (starts + 1) % most)
        )
        tx.run(
            "UPDATE rate SET starts = starts + 1, open_at = ? WHERE scope = ? AND name = ?",
            (oldest[0] + span_s if oldest else 0.0, scope, name),
        )


def left(tx: Tx) -> dict[tuple[Scope, str], int]:
    """How many may start now, for each limit."""
    return {
        (scope, name): most - taken
        for scope, name, most, taken in tx.rows(
            "SELECT r.scope, r.name, r.most, (SELECT count(*) FROM rate_start s WHERE s.scope = r.scope "
            "AND s.name = r.name AND s.at > ?1 - r.span_s AND s.at <= ?1) FROM rate r",
            (tx.now,),
        )
    }


def next_open(ledger: Ledger, now: float) -> float | None:
    """When the first limit that keeps a ready job opens, epoch seconds; None if none keeps one."""
    row = ledger.row(
        "SELECT min(r.open_at) FROM rate r WHERE r.open_at > ?1 AND r.open_at <= ?1 + r.span_s AND EXISTS "
        "(SELECT 1 FROM lane l WHERE l.ready > 0 AND CASE r.scope WHEN 'queue' THEN l.queue ELSE l.type END = r.name)",
        (now,),
    )
    return None if row is None or row[0] is None else float(row[0])


def closed_until(ledger: Ledger, scope: Scope, name: str, now: float) -> tuple[Rate, float] | None:
    """The limit that lets nothing of this queue or type start now, and when it opens; None if none does."""
    row = ledger.row(
        "SELECT most, span_s, open_at FROM rate WHERE scope = ?2 AND name = ?3 AND open_at > ?1 "
        "AND open_at <= ?1 + span_s",
        (now, scope, name),
    )
    return None if row is None else (Rate(int(row[0]), float(row[1])), float(row[2]))
