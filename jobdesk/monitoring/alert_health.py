"""The health of what the rules of alerts look at: what is raised, and nobody has acknowledged or silenced."""

from jobdesk.core.alert import Severity
from jobdesk.ledger.alerts import open_alerts
from jobdesk.monitoring.check import Check, Scene, Status


def alerts(scene: Scene) -> Check:
    """What is raised; an acknowledged one is only listed."""
    check = Check("alerts")
    raised = [one for one in open_alerts(scene.ledger, scene.now) if one.state in ("active", "acknowledged")]
    check.details["list"] = [one.to_json() for one in raised]
    for one in raised:
        if one.state == "active" and one.severity is not Severity.INFO:
            status: Status = "error" if one.severity is Severity.ERROR else "warning"
            check.worse(status, f"alert {one.id}, {one.rule}: {one.message}")
    return check
