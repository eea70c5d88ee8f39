"""Whether the services that jobs call can be reached, for `jobdesk health`."""

from jobdesk.core.breaker import BreakerState
from jobdesk.core.clock import iso
from jobdesk.ledger import breakers, probes
from jobdesk.monitoring.check import Check, Scene


def services(scene: Scene) -> Check:
    """Breakers that are open, health URLs that fail.

    One that is half open is no problem: nothing keeps the next job from trying it.
    """
    check = Check("services")
    details = check.details
    for one in breakers.every(scene.ledger, scene.now):
        details[one.service] = {"breaker": one.state.value, "reason": one.reason, "since": iso(one.changed_at)}
        if one.state is BreakerState.OPEN:
            check.worse("warning", f"{one.keeps}: jobdesk services show {one.service}")
    for found in probes.every(scene.ledger):
        facts = details.setdefault(found.service, {"breaker": BreakerState.CLOSED.value, "reason": None, "since": None})
        facts["health"] = {"ok": found.ok, "message": found.message, "at": iso(found.at), "took_ms": found.took_ms}
        if not found.ok:
            what = f"service {found.service}" if found.due_at is None else f"the health URL of service {found.service}"
            check.worse("warning", f"{what} answered: {found.message}")
    return check
