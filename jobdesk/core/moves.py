"""Which state may follow which. Written once, here; the database's trigger is made from this table."""

from jobdesk.core.job import State

MOVES: dict[State, frozenset[State]] = {
    State.BLOCKED: frozenset({State.PENDING, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.PENDING, State.CANCELLED, State.EXPIRED}),
    State.PENDING: frozenset({State.PROCESSING, State.CANCELLED, State.EXPIRED}),
    State.PROCESSING: frozenset(
        {
            State.COMPLETED,
            State.RETRYING,
            State.FAILED,
            State.CANCELLED,
            State.PENDING,  # released by a stopping consumer, or rescued from a dead one
            State.SCHEDULED,  # snoozed
        }
    ),
    State.RETRYING: frozenset({State.PENDING, State.CANCELLED, State.EXPIRED}),
    State.COMPLETED: frozenset({State.PENDING}),  # run again
    State.FAILED: frozenset({State.PENDING}),  # retry
    State.CANCELLED: frozenset({State.PENDING}),  # retry, or the failed parent completed after all
    State.EXPIRED: frozenset({State.PENDING}),  # retry
}


def is_legal(start: State, end: State) -> bool:
    """Whether a job may go from `start` to `end` in one step."""
    return end in MOVES[start]
