"""Lists of jobs in another order than that of their creation: sorted once, whole, and then read by place."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jobdesk.core.query import Query
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.plan import plan

MOST = 1_000_000
"""Jobs that are sorted, the newest of those that match; about a second for each million."""
KEYS: Mapping[str, str] = MappingProxyType(
    {
        "state": "j.state",
        "type": "j.type",
        "queue": "j.queue",
        "priority": "j.priority",
        "try": "j.attempt",
        "took": "coalesce(j.finished_at, :now) - j.started_at",
        "age": "j.seq",
    }
)
"""What jobs can be sorted by, and how SQL says it. What has no value comes last, in either direction."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which of `KEYS`; jobs that are equal in it stand newest first."""

    key: str
    descending: bool = False

    @property
    def reversed(self) -> "Order":
        return Order(self.key, not self.descending)


def seqs(ledger: Ledger, query: Query, order: Order) -> "array[int]":
    """Seqs of the jobs that match, in order; of more than `MOST` the newest."""
    chosen = plan(ledger, query)
    if chosen.nothing:
        return array("q")
    inner, values = chosen.sql(limit=MOST)
    by = KEYS[order.key].replace(":now", repr(ledger.clock.now()))
    direction = "DESC" if order.descending else "ASC"
    return array("q", (row[0] for row in ledger.rows(
        f"SELECT j.seq FROM ({inner}) found CROSS JOIN job j ON j.seq = found.seq "
        f"ORDER BY {by} {direction} NULLS LAST, j.seq DESC", values
    )))  # fmt: skip
