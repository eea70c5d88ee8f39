"""What the health URLs of services answered, and who asks next: one process of the home for all."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobdesk.ledger.database import Ledger, Tx

LATE_S = 30.0
"""How long after its time an answer is not old yet."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The last answer of a health URL. `at` and `due_at` are epoch seconds; `at` is None before the first."""

    service: str
    due_at: float
    at: float | None
    ok: bool
    message: str
    took_ms: float | None


def every(ledger: Ledger) -> list[Probe]:
    """All services that are asked, by name."""
    rows = ledger.rows(
        "SELECT service, due_at, at, coalesce(ok, 1), coalesce(message, ''), took_ms FROM service_probe ORDER BY 1"
    )
    return [
        Probe(service, due_at, at, bool(ok), message, took_ms) for service, due_at, at, ok, message, took_ms in rows
    ]


def sync(ledger: Ledger, wanted: Mapping[str, float]) -> None:
    """Know the services that are to be asked, and forget the others; writes only what differs."""
    known = {str(service) for (service,) in ledger.rows("SELECT service FROM service_probe")}
    if known == wanted.keys():
        return
    with ledger.write() as tx:
        for service in known - wanted.keys():
            tx.run("DELETE FROM service_probe WHERE service = ?", (service,))
        for service in wanted.keys() - known:
            tx.run("INSERT OR IGNORE INTO service_probe (service, due_at) VALUES (?, ?)", (service, tx.now))


def next_due(ledger: Ledger) -> float | None:
    """When the next is to be asked, epoch seconds; None if none is."""
    row = ledger.row("SELECT min(due_at) FROM service_probe")
    return None if row is None or row[0] is None else float(row[0])


def take(tx: Tx, wanted: Mapping[str, float]) -> list[str]:
    """The services that are to be asked now; nobody else asks them.

    One that is due further ahead than its span is from before the clock was set back.
    """
    taken = []
    for service, every_s in wanted.items():
        if tx.run(
            "UPDATE service_probe SET due_at = ?1 + ?2 WHERE service = ?3 AND (due_at <= ?1 OR due_at > ?1 + ?2)",
            (tx.now, every_s, service),
        ):
            taken.append(service)
    return taken


def answered(tx: Tx, service: str, ok: bool, message: str, took_ms: float) -> None:
    """Note what a service answered."""
    tx.run(
        "UPDATE service_probe SET at = ?, ok = ?, message = ?, took_ms = ? WHERE service = ?",
        (tx.now, ok, message, took_ms, service),
    )
