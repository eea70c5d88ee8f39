"""Changing the priority of jobs that wait, and letting one go before all others."""

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import FINAL, State
from jobdesk.ledger import lanes, moves
from jobdesk.ledger.database import Tx


def set_priority(tx: Tx, id_: str, priority: int, who: str) -> bool:
    """Give a job that has not ended and does not run another priority, 0 to 100. False: it has it already.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    seq, queue, former, is_first = _waiting(tx, id_)
    if former == priority and not is_first:
        return False
    tx.run(
        f"UPDATE job SET priority = ?, aging = CASE WHEN aging < 0 THEN {lanes.AGING} ELSE aging END WHERE seq = ?",
        (priority, seq),
    )
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=f"priority {priority}, was {former}: by {who}")
    tx.wakes = True
    return True


def set_first(tx: Tx, id_: str, who: str) -> bool:
    """Let a job that has not ended and does not run go before all others. False: it does already.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    seq, queue, former, is_first = _waiting(tx, id_)
    if is_first:
        return False
    tx.run("UPDATE job SET priority = 100, aging = ? WHERE seq = ?", (lanes.FIRST, seq))
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=f"before all others, was {former}: by {who}")
    tx.wakes = True
    return True


def _waiting(tx: Tx, id_: str) -> tuple[int, str, int, bool]:
    seq, queue, state, former, is_first = moves.find(tx, id_, "priority", "aging < 0")
    if state == State.PROCESSING or state in FINAL:
        raise Refused(f"job {id_} is {state}: only a job that waits can be given another priority")
    return seq, queue, former, bool(is_first)
