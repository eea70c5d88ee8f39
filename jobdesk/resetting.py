"""Starting over: what waits is cancelled, what runs is stopped, and all jobs go."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobdesk.core.errors import WaitTimeout
from jobdesk.core.job import IN_FLIGHT, State
from jobdesk.core.terms import Query, Term

if TYPE_CHECKING:
    from jobdesk.desk import Desk


@dataclass(frozen=True, slots=True)
class Reset:
    """How many jobs went, and ids of those that did not end in time and stay."""

    removed: int
    running: list[str]


def to_reset(desk: "Desk", queue: str | None) -> list[str]:
    """Ids of all jobs, or those of a queue."""
    from jobdesk.ledger import search

    return search.ids(desk.ledger, _of(queue))


def reset(desk: "Desk", queue: str | None, timeout_s: float) -> Reset:
    """End and remove all jobs that there are now, or those of a queue; queues, schedules and settings stay.

    Args:
        timeout_s: how long those that run have to end.
    """
    from jobdesk.ledger import search

    deed = desk.deed("reset", target=None if queue is None else f"queue {queue}")
    ids = to_reset(desk, queue)
    in_flight = search.ids(desk.ledger, _of(queue, *sorted(IN_FLIGHT)))
    desk.each("cancel", in_flight, deed)  # what follows a job is cancelled with it, and refuses then
    if in_flight:
        with suppress(WaitTimeout):
            desk.wait(*in_flight, timeout=timeout_s)
    refused = desk.each("delete", ids, deed)
    left = set(search.ids(desk.ledger, _of(queue, State.PROCESSING)))
    return Reset(sum(why is None for why in refused.values()), [id_ for id_ in ids if id_ in left])


def _of(queue: str | None, *states: State) -> Query:
    terms = [Term((queue,), "queue")] if queue is not None else []
    return Query((*terms, *([Term(tuple(states), "state")] if states else [])))
