"""A doctor's look at a ledger and its home, and how the finds are told."""

from collections.abc import Mapping
from typing import Any

from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer
from jobdesk.monitoring.doctor import doctor
from jobdesk.monitoring.finding import Finding, Patient

MACHINE = {"disk", "file events"}


def look(ledger: Ledger, **more: Any) -> dict[str, Finding]:
    patient = Patient(ledger=ledger, home=ledger.path.parent, now=ledger.clock.now(), **more)
    return {one.name: one for one in doctor(patient)}


def bad(found: Mapping[str, Finding]) -> set[str]:
    """What is not ok, leaving out what is this machine's own."""
    wrong = {name for name, one in found.items() if not one.ok} - MACHINE
    assert all(found[name].why and found[name].mend for name in wrong)
    return wrong


def mended(ledger: Ledger, *names: str) -> None:
    """See that just these are wrong, mend them, and see that nothing is."""
    assert bad(look(ledger)) == set(names)
    found = look(ledger, fix=True)
    assert {name for name, one in found.items() if one.fixed} == set(names)
    assert bad(look(ledger)) == set()


def living(**more: Any) -> Consumer:
    fields: dict[str, Any] = {
        "id": "con_1",
        "kind": "app",
        "pid": 1,
        "process_started": 0.0,
        "workers": 1,
        "queues": None,
    }
    return Consumer(**(fields | {"started_at": 0.0, "heartbeat_at": 2e9} | more))
