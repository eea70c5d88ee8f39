"""Changing the payload of a job that waits."""

from collections.abc import Mapping
from typing import Any

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import FINAL, State
from jobdesk.core.text import to_json
from jobdesk.ledger import moves
from jobdesk.ledger.database import Tx


def set_data(tx: Tx, id_: str, data: Mapping[str, Any], who: str) -> None:
    """Give a job that has not ended and does not run another payload, which its processor has checked.

    Raises:
        NotFound: there is no such job.
        Refused: it runs, or has ended.
    """
    seq, queue, state = moves.find(tx, id_)
    if state in FINAL:
        raise Refused(f"job {id_} is {state}: to run it again with other data use `jobdesk jobs retry {id_} --data`")
    if state == State.PROCESSING:
        raise Refused(f"job {id_} runs already: cancel it, or wait until it has ended")
    tx.run("UPDATE job SET data = ? WHERE seq = ?", (to_json(dict(data)), seq))
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=f"data changed by {who}")
