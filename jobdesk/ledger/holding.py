"""Jobs that somebody holds back: they wait, whatever else would let them start, until they are released.

A held job keeps its state; `held` is a column beside it, as the pause of a queue is. The triggers take it out of the
claim's index (`parked` is 2) and see to it that it keeps its concurrency key from nobody.
"""

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import FINAL, State
from jobdesk.ledger import moves
from jobdesk.ledger.database import Tx


def hold(tx: Tx, id_: str, who: str) -> bool:
    """Hold a job that waits. False: it is held already.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    return _set(tx, id_, True, f"held by {who}")


def release(tx: Tx, id_: str, who: str) -> bool:
    """Let a held job go. False: nobody holds it.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    tx.wakes = True
    return _set(tx, id_, False, f"released by {who}")


def _set(tx: Tx, id_: str, held: bool, message: str) -> bool:
    seq, queue, state, before = moves.find(tx, id_, "held")
    if state == State.PROCESSING or state in FINAL:
        raise Refused(f"job {id_} is {state}: only a job that waits can be held and released")
    if bool(before) == held:
        return False
    tx.run("UPDATE job SET held = ? WHERE seq = ?", (held, seq))
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=message)
    return True
