"""Removing ended jobs of a queue in bulk, with their history."""

import json

from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger.database import Ledger

BATCH = 500
"""Jobs a transaction, so that a claim never waits long for a clean-up."""


def clean(ledger: Ledger, queue: str, state: State, before: float, who: str) -> int:
    """Remove the queue's jobs that reached this final state before an instant (epoch seconds); how many.

    Other processes may work meanwhile: each batch is chosen and removed in one transaction.
    """
    removed = 0
    while count := _batch(ledger, queue, state, before):
        removed += count
    with ledger.write() as tx:
        tx.event(Kind.QUEUE_CLEANED, queue=queue, state=state.value, count=removed, user=who)
    return removed


def _batch(ledger: Ledger, queue: str, state: State, before: float) -> int:
    with ledger.write() as tx:
        found = tx.rows(
            "SELECT seq FROM job WHERE queue = ? AND state = ? AND finished_at <= ? LIMIT ?",
            (queue, state.value, before, BATCH),
        )
        seqs = json.dumps([seq for (seq,) in found])
        for table in ("attempt", "artifact", "event", "dependency"):
            tx.run(f"DELETE FROM {table} WHERE job IN (SELECT value FROM json_each(?))", (seqs,))
        tx.run("DELETE FROM dependency WHERE parent IN (SELECT value FROM json_each(?))", (seqs,))
        return tx.run("DELETE FROM job WHERE seq IN (SELECT value FROM json_each(?))", (seqs,))
