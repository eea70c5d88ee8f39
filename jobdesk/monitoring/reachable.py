"""Whether the services that jobs call can be reached, for `jobdesk health`."""

from typing import Any

from jobdesk.core.breaker import BreakerState
from jobdesk.core.clock import iso
from jobdesk.ledger import breakers, probes
from jobdesk.ledger.database import Ledger


def services_reachable(ledger: Ledger, now: float) -> tuple[list[str], dict[str, Any]]:
    """What is wrong with services, in sentences, and the facts by name: breakers that are open, health URLs that fail.

    One that is half open is no problem: nothing keeps the next job from trying it.
    """
    says: list[str] = []
    details: dict[str, Any] = {}
    for one in breakers.every(ledger, now):
        details[one.service] = {"breaker": one.state.value, "reason": one.reason, "since": iso(one.changed_at)}
        if one.state is BreakerState.OPEN:
            says.append(f"{one.keeps}: jobdesk services show {one.service}")
    for found in probes.every(ledger):
        facts = details.setdefault(found.service, {"breaker": BreakerState.CLOSED.value, "reason": None, "since": None})
        facts["health"] = {"ok": found.ok, "message": found.message, "at": iso(found.at), "took_ms": found.took_ms}
        if not found.ok:
            says.append(f"the health URL of service {found.service} answered: {found.message}")
    return says, details
