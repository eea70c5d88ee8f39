"""Health of the queues: each is healthy, or says why it is not."""

from jobdesk.core.job import State
from jobdesk.ledger import lying, rollups
from jobdesk.ledger.reads import Queue
from jobdesk.monitoring.check import Check, Scene

DEEP = 100
"""Ready jobs in a queue that nobody works on."""
_MANY = 10
"""Ended jobs in the last hour from which a share of failures says something."""


def queues(scene: Scene) -> Check:
    """All of them; the details have the status and the reason of each."""
    check = Check("queues")
    since = int(scene.now // 60) - 60
    lately = rollups.ended_by_queue(scene.ledger, since)
    there = lying.since(scene.ledger, since * 60.0) if any(failed for _, failed in lately.values()) else {}
    for queue in scene.queues or ():
        completed, failed = lately.get(queue.name, (0, 0))
        served = any(one.queues is None or queue.name in one.queues for one in scene.consumers)
        own = _queue(queue, completed, min(failed, there.get(queue.name, 0)), served)
        check.details[queue.name] = {
            "status": own.status,
            "reason": "; ".join(text for _, text in own.says) or None,
            "pending": queue.counts[State.PENDING],
            "processing": queue.counts[State.PROCESSING],
            "dead": queue.dead,
            "completedLastHour": completed,
            "failedLastHour": failed,
        }
        for status, text in own.says:
            check.worse(status, f"queue {queue.name}: {text}")
    return check


def _queue(queue: Queue, completed: int, failed: int, served: bool) -> Check:
    check, pending = Check(queue.name), queue.counts[State.PENDING]
    _failures(check, completed, failed)
    if queue.paused_at is not None:
        if pending:
            by = f" by {queue.paused_by}" if queue.paused_by else ""
            check.worse("warning", f"it is paused{by} with {pending:,} {'job' if pending == 1 else 'jobs'} ready")
    elif pending > DEEP and not served:
        check.worse("warning", f"{pending:,} jobs are ready and nobody works on it")
    waiting = pending + queue.later
    if queue.max_size is not None and waiting >= queue.max_size:
        check.worse("warning", f"it is full: {waiting:,} jobs wait and its max_size is {queue.max_size:,}")
    return check


def _failures(check: Check, completed: int, failed: int) -> None:
    """`failed` lie in the dead letters still: what was retried or purged since needs nobody."""
    ended = completed + failed
    if not failed:
        return
    if ended >= _MANY and failed * 2 >= ended:
        check.worse("error", f"{failed:,} of {ended:,} jobs of the last hour went to the dead letters")
    else:
        check.worse("warning", f"{failed:,} dead letter{'s' if failed > 1 else ''} in the last hour")
