"""Unique keys: which job a new one would repeat.

The key of a job in flight is held by a unique index, so no two processes can take it. A submission may
widen that to jobs that ended lately (`unique_for`), or say itself which states count (`unique_states`);
one whose states leave out some in flight is kept out of the unique index, and found by look-up alone, in
the one write transaction there is.
"""

from typing import TYPE_CHECKING

from jobdesk.core.job import FINAL, IN_FLIGHT, NewJob, State

if TYPE_CHECKING:
    from jobdesk.ledger.database import Tx

IN_FLIGHT_WORDS = ", ".join(f"'{state}'" for state in State if state in IN_FLIGHT)
"""Written out in SQL that looks for a unique key: bound values do not fit the partial index, and all jobs are read."""

MIGRATION = f"""
ALTER TABLE job ADD COLUMN unique_loose INTEGER NOT NULL DEFAULT 0;   -- its states are its own: not in the unique index
DROP INDEX job_unique;
CREATE UNIQUE INDEX job_unique ON job (unique_key)
  WHERE unique_key IS NOT NULL AND NOT unique_loose AND state IN ({IN_FLIGHT_WORDS});
CREATE INDEX job_key_in_flight ON job (unique_key)
  WHERE unique_key IS NOT NULL AND state IN ({IN_FLIGHT_WORDS});
CREATE INDEX job_key_ended ON job (unique_key, finished_at)
  WHERE unique_key IS NOT NULL AND finished_at IS NOT NULL;
"""

WINDOW = """
ALTER TABLE job ADD COLUMN unique_for_s REAL;   -- for so long after its end it has its key, and is kept
"""


def is_loose(job: NewJob) -> bool:
    """Whether a job in flight with the same key may be let pass."""
    return bool(job.unique_states) and not set(job.unique_states) >= IN_FLIGHT


def remember(tx: "Tx", seq: int, job: NewJob) -> None:
    """Note how long the job has its key after its end: retention keeps it until then."""
    if job.unique is not None and job.unique_for_s is not None:
        tx.run("UPDATE job SET unique_for_s = ? WHERE seq = ?", (job.unique_for_s, seq))


def holder(tx: "Tx", job: NewJob) -> str | None:
    """Id of the job that the new one would repeat; None if there is none."""
    if job.unique is None:
        return None
    states = {State(word) for word in job.unique_states}
    if not states:
        states = set(State) if job.unique_for_s is not None else set(IN_FLIGHT)
    for id_, state in tx.rows(
        f"SELECT id, state FROM job WHERE unique_key = ? AND state IN ({IN_FLIGHT_WORDS}) ORDER BY seq", (job.unique,)
    ):
        if state in states:
            return str(id_)
    ended = states & FINAL
    if not ended:
        return None
    since = 0.0 if job.unique_for_s is None else tx.now - job.unique_for_s
    words = ", ".join(f"'{state}'" for state in State if state in ended)
    row = tx.row(
        "SELECT id FROM job WHERE unique_key = ? AND finished_at IS NOT NULL AND finished_at > ? "
        f"AND state IN ({words}) ORDER BY finished_at DESC LIMIT 1",
        (job.unique, since),
    )
    return None if row is None else str(row[0])
