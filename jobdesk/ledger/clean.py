"""Removing ended jobs of a queue in bulk, with their history."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from jobdesk.core.events import Kind
from jobdesk.core.job import State
from jobdesk.ledger import prune
from jobdesk.ledger.database import Ledger, Tx


def clean(
    ledger: Ledger,
    queue: str,
    state: State,
    before: float,
    who: str,
    writing: Callable[[], AbstractContextManager[Tx]] | None = None,
) -> int:
    """Remove the queue's jobs that reached this final state before an instant (epoch seconds); how many.

    Other processes may work meanwhile: it goes in small steps, and leaves what has moved on since it looked.

    Args:
        writing: begins the transactions that remove; None: those of the ledger.
    """
    removed, at, more, remover = 0, (0.0, 0), True, prune.Remover(ledger, writing)
    while more:
        found = prune.beyond(ledger, queue, (state.value,), at, before, prune.LOOK, whole=True)
        at, more = found.at, found.more
        while found.doomed:
            removed += remover.step(found.doomed)[0]
    with ledger.write() as tx:
        tx.event(Kind.QUEUE_CLEANED, queue=queue, state=state.value, count=removed, user=who)
    return removed
