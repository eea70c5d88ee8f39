"""How it went in the last hour: what the charts are made of, read every few seconds while somebody looks at them."""

from dataclasses import dataclass

from jobdesk.core.job import State
from jobdesk.desk import Desk
from jobdesk.ledger import depth
from jobdesk.ledger.latency import Minute, ended_by_type, latencies
from jobdesk.tui.drawings import MINUTES, Drawing, by_type, depths, latency, throughput
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.overview_rows import span_of

EVERY_S = 5.0
"""How often it is read."""
CHARTS = ("throughput", "latency", "depth", "types")


@dataclass(frozen=True, slots=True)
class Course:
    """Numbers by minute; see where they come from."""

    latencies: tuple[Minute, ...] = ()
    depths: tuple[tuple[int, str, int], ...] = ()
    types: tuple[tuple[int, str, int], ...] = ()


def read(desk: Desk) -> Course:
    """The last hour as it is known now."""
    ledger, now = desk.ledger, desk.clock.now()
    return Course(
        tuple(latencies(ledger, now, MINUTES)),
        tuple(depth.minutes(ledger, now, MINUTES)),
        tuple(ended_by_type(ledger, now, MINUTES)),
    )


def drawings(course: Course, snapshot: Snapshot, now: float) -> dict[str, Drawing]:
    """What each chart shows."""
    span = span_of(snapshot.rates) or MINUTES
    ready = [(queue.name, queue.counts[State.PENDING]) for queue in snapshot.queues]
    return {
        "throughput": throughput(snapshot.rates.minutes, span),
        "latency": latency(course.latencies, now, span),
        "depth": depths(course.depths, ready, now, span),
        "types": by_type(course.types, now, span),
    }
