"""Making the ledger agree with itself again, while others work: nothing here holds the write lock for long.

A counter that is wrong stays wrong by the same number, whatever happens meanwhile: what adds and takes away goes
on to add and take away. So how wrong it is may be found by reading, in any time, and is then added in one short
transaction. A number in `meta` sees to it that two doctors do not add it twice.
"""

import json
from collections.abc import Sequence

from jobdesk.ledger import checks, queues
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.prune import HISTORY

BATCH = 200
"""Rows that one transaction mends."""
OWNED = (*HISTORY, "binding")
"""Tables whose rows belong to a job, by its seq in `job`."""
_ROUND = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'mended'"


def counts(ledger: Ledger) -> bool:
    """Make the tallies and lanes right. False: another doctor was at it, look again."""
    with ledger.reading():
        round_ = ledger.row(_ROUND)
        tallies, lanes = checks.wrong_tallies(ledger), checks.wrong_lanes(ledger)
    with ledger.write() as tx:
        if tx.row(_ROUND) != round_:
            return False
        tx.run("INSERT INTO meta VALUES ('mended', '1') ON CONFLICT DO UPDATE SET value = value + 1")
        for queue, state, counted, there in tallies:
            tx.run(
                "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                (queue, state, there - counted),
            )
        for queue, type_, counted, there in lanes:
            tx.run(
                "INSERT INTO lane VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET ready = ready + excluded.ready",
                (queue, type_, there - counted),
            )
        tx.wakes = bool(lanes)
    return True


def minutes(ledger: Ledger, short: Sequence[checks.Short]) -> None:
    """Let each minute count at least what ended in it."""
    for start in range(0, len(short), BATCH):
        with ledger.write() as tx:
            for one in short[start : start + BATCH]:
                tx.run(
                    "INSERT INTO minute VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "completed = max(completed, excluded.completed), failed = max(failed, excluded.failed)",
                    (one.at, one.queue, one.completed, one.failed),
                )


def flows(ledger: Ledger, ids: Sequence[str]) -> None:
    """Make the counts of these flows right, and whether they have finished; one flow a transaction."""
    for id_ in ids:
        with ledger.write() as tx:
            checks.recount_flow(tx, id_)


def waiting(ledger: Ledger, seqs: Sequence[int]) -> None:
    """Let blocked jobs know for how many others they wait; those that wait for none go on."""
    for start in range(0, len(seqs), BATCH):
        with ledger.write() as tx:
            tx.run(
                f"UPDATE job SET waits_for = ({checks.OPEN_PARENTS.format('job.seq')}) "
                "WHERE state = 'blocked' AND seq IN (SELECT value FROM json_each(?))",
                (json.dumps(seqs[start : start + BATCH]),),
            )
            tx.wakes = True


def rows_of_no_job(ledger: Ledger, table: str) -> int:
    """Remove the rows of one of `OWNED` whose job is gone; how many."""
    removed = 0
    while found := checks.jobs_gone(ledger, table, BATCH):
        with ledger.write() as tx:
            removed += tx.run(
                f"DELETE FROM {table} WHERE job IN (SELECT value FROM json_each(?)) "
                f"AND NOT EXISTS (SELECT 1 FROM job WHERE seq = {table}.job)",
                (json.dumps(found),),
            )
    return removed


def make_queues(ledger: Ledger, names: Sequence[str]) -> None:
    """Make queues that only their jobs know."""
    with ledger.write() as tx:
        for name in names:
            queues.ensure(tx, name)
        tx.wakes = True


def rebuild_indexes(ledger: Ledger) -> None:
    """Build every index of the jobs' own tables anew; others wait to write while one is built."""
    for (name,) in ledger.rows("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"):
        with ledger.write() as tx:
            tx.run(f'REINDEX "{name}"')


def forget_artifacts(tx: Tx, gone: Sequence[tuple[int, str]]) -> None:
    """Forget files that jobs made and that are no longer there."""
    tx.many("DELETE FROM artifact WHERE job = ? AND path = ?", gone)
