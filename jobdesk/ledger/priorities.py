"""Changing the priority of jobs that wait."""

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import FINAL, State
from jobdesk.ledger.database import Tx


def set_priority(tx: Tx, id_: str, priority: int, who: str) -> bool:
    """Give a job that has not ended and does not run another priority, 0 to 100. False: it has it already.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    found = tx.row("SELECT seq, queue, state, priority FROM job WHERE id = ?", (id_,))
    if found is None:
        raise NotFound(f"there is no job {id_}")
    seq, queue, state, former = found
    if state == State.PROCESSING or state in FINAL:
        raise Refused(f"job {id_} is {state}: only a job that waits can be given another priority")
    if former == priority:
        return False
    tx.run("UPDATE job SET priority = ? WHERE seq = ?", (priority, seq))
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=f"priority {priority}, was {former}: by {who}")
    tx.wakes = True
    return True
