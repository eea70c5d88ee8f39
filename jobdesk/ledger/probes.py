"""What the health URLs of services answered, and who asks next: one process of the home for all.

Services without such a URL are asked only when somebody has them checked; their answers stand beside the others.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jobdesk.ledger.database import Ledger, Tx

LATE_S = 30.0
"""How long after its time an answer is not old yet."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The last answer of a service. `at` and `due_at` are epoch seconds; `at` is None before the first.

    `due_at` is None for one without a health URL.
    """

    service: str
    due_at: float | None
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


def sync(ledger: Ledger, wanted: Mapping[str, float], others: Collection[str] = ()) -> None:
    """Know the services that are to be asked, and forget what is neither among them nor the others.

    Writes only what differs.
    """
    known = {str(service): due_at for service, due_at in ledger.rows("SELECT service, due_at FROM service_probe")}
    asked = {service for service, due_at in known.items() if due_at is not None}
    if asked == wanted.keys() and known.keys() - asked <= set(others):
        return
    with ledger.write() as tx:
        for service in known.keys() - wanted.keys():
            if service in asked or service not in others:
                tx.run("DELETE FROM service_probe WHERE service = ?", (service,))
        for service in wanted.keys() - asked:
            tx.run(
                "INSERT INTO service_probe (service, due_at) VALUES (?1, ?2) "
                "ON CONFLICT DO UPDATE SET due_at = ifnull(due_at, excluded.due_at)",
                (service, tx.now),
            )


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


def asked(tx: Tx, service: str, ok: bool, message: str, took_ms: float) -> Probe:
    """Note what a service answered to somebody who wanted to know now; when it is asked next stays as it is."""
    tx.run("INSERT OR IGNORE INTO service_probe (service) VALUES (?)", (service,))
    answered(tx, service, ok, message, took_ms)
    row = tx.row("SELECT due_at FROM service_probe WHERE service = ?", (service,))
    return Probe(service, None if row is None else row[0], tx.now, ok, message, took_ms)
