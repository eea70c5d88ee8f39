"""What people say to running jobs: written down here, taken by the consumer that runs them, and then gone."""

import json
from collections.abc import Mapping
from typing import Any

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.core.speech import Speech
from jobdesk.ledger import moves
from jobdesk.ledger.database import Ledger, Tx

_RUNS = "EXISTS (SELECT 1 FROM job j WHERE j.id = {0}.job AND j.fence = {0}.fence AND j.state = 'processing')"


def say(tx: Tx, id_: str, speech: Speech, who: str, told: str) -> None:
    """Say something to a running job.

    Args:
        told: what the job's log tells of it, before who said it.

    Raises:
        NotFound: there is no such job.
        Refused: it does not run, is paused already, or is not paused.
    """
    seq, queue, state, fence = moves.find(tx, id_, "fence")
    if state != State.PROCESSING:
        raise Refused(f"job {id_} is {state}: only a job that runs hears anything")
    for table in ("spoken", "paused"):  # nobody will hear what is said to attempts that are over
        tx.run(f"DELETE FROM {table} WHERE NOT {_RUNS.format(table)}")
    is_paused = tx.row("SELECT 1 FROM paused WHERE job = ?", (id_,)) is not None
    if "pause" in speech:
        if is_paused:
            raise Refused(f"job {id_} is paused already: `jobdesk jobs continue {id_}`")
        tx.run("INSERT INTO paused VALUES (?, ?, ?, ?)", (id_, fence, tx.now, who))
    if "continue" in speech:
        if not is_paused:
            raise Refused(f"job {id_} is not paused")
        tx.run("DELETE FROM paused WHERE job = ?", (id_,))
    tx.run("INSERT INTO spoken (job, fence, word) VALUES (?, ?, ?)", (id_, fence, json.dumps(dict(speech))))
    tx.event(Kind.JOB_LOG, seq, queue, level="info", message=f"{told} by {who}")
    tx.wakes = True


def any_waits(ledger: Ledger) -> bool:
    """Whether something was said that nobody has taken yet."""
    return ledger.row("SELECT 1 FROM spoken LIMIT 1") is not None


def all_paused(ledger: Ledger) -> frozenset[str]:
    """Ids of all running jobs that are paused."""
    return frozenset(str(id_) for (id_,) in ledger.rows(f"SELECT job FROM paused WHERE {_RUNS.format('paused')}"))


def take(tx: Tx, running: Mapping[str, int]) -> list[tuple[str, Speech]]:
    """What was said to these jobs, by id, in its order; `running` is the fence of each by its id."""
    heard: list[tuple[str, Speech]] = []
    for number, job, fence, word in tx.rows("SELECT id, job, fence, word FROM spoken ORDER BY id"):
        if job in running and fence <= running[job]:
            tx.run("DELETE FROM spoken WHERE id = ?", (number,))
            if fence == running[job]:
                heard.append((job, json.loads(word)))
    return heard


def paused(ledger: Ledger, job: Job) -> tuple[float, str] | None:
    """Since when (epoch seconds) a running job is paused, and by whom; None if it is not."""
    if job.state is not State.PROCESSING:
        return None
    row: Any = ledger.row("SELECT at, who FROM paused WHERE job = ? AND fence = ?", (job.id, job.fence))
    return None if row is None else (float(row[0]), str(row[1]))
