"""What ended in a window of time: from the rollups, and from the ends that they do not hold yet.

A window begins at a whole minute, one of more than three days at a whole hour, one of more than ninety at a whole day.
It is read from few rows: minutes up to the first whole hour, hours up to the first whole day, then days.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core.job import State
from jobdesk.ledger import endings, rollups
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.folding import KEPT_S
from jobdesk.ledger.spans import add_packed
from jobdesk.ledger.totals import DAY, EVERY, HOUR, MINUTE, NUMBERS, Sums, Totals, Worked


@dataclass(slots=True)
class Window:
    """What ended since an instant (epoch seconds), and how it stands now, of one consistent state of the ledger."""

    since: float
    groups: dict[tuple[str, str], Totals] = field(default_factory=dict)
    """By queue and type."""
    errors: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By queue, type and error; of the dead letters."""
    workers: dict[str, Worked] = field(default_factory=dict)
    minutes: dict[int, list[int]] = field(default_factory=dict)
    """Completed and dead jobs of the last minutes (since the epoch)."""
    counts: dict[State, int] = field(default_factory=dict)
    oldest_pending: float | None = None
    began: float | None = None
    """When the first job that the ledger knows of was stored."""
    steps: dict[int, list[int]] = field(default_factory=dict)
    """Completed and dead jobs by epoch second at which a step of a past window begins."""


def between(ledger: Ledger, since: float, until: float) -> Window:
    """What ended in a past window, hour by hour; one that hours are no longer kept of, in whole days of UTC.

    Its start and end count as those of the hours (days) in which they lie.
    """
    grain = HOUR if ledger.clock.now() - since <= KEPT_S[HOUR] else DAY
    first, last = int(since // grain), int(-(-until // grain))
    found = Window(first * grain)
    with ledger.reading():
        only, given = rollups.matching(None, None)
        _read_rollups(ledger, found, [(grain, first, last)], only, given)
        for at, completed, dead in ledger.rows(
            "SELECT at, sum(completed), sum(failed + expired) FROM rollup "
            "WHERE grain = ? AND at >= ? AND at < ? GROUP BY at",
            (grain, first, last),
        ):
            found.steps[at * grain] = [completed, dead]
        sums, _ = endings.gather(ledger, endings.mark(ledger), since=found.since)
    for (_, at, queue, type_), totals in sums.totals.items():
        if at * MINUTE < last * grain:
            found.groups.setdefault((queue, type_), Totals()).merge(totals)
            if totals.completed or totals.dead:
                step = found.steps.setdefault(at * MINUTE // grain * grain, [0, 0])
                step[0] += totals.completed
                step[1] += totals.dead
    for (_, at, queue, type_, error), n in sums.errors.items():
        if at * MINUTE < last * grain:
            found.errors[queue, type_, error] += n
    return found


def start_of(now: float, hours: float) -> float:
    """When a window of so many hours begins."""
    span_s = hours * HOUR
    grain = next((grain for grain, kept_s in KEPT_S.items() if span_s <= kept_s), DAY)
    return (now - span_s) // grain * grain


def read(
    ledger: Ledger, now: float, hours: float, *, minutes: int, queue: str | None = None, type_: str | None = None
) -> Window:
    """What ended in the last hours, exact in its counts, and each of the last `minutes`."""
    found = Window(start_of(now, hours))
    first = int(now // MINUTE) - minutes + 1
    with ledger.reading():
        only, given = rollups.matching(queue, type_)
        ranges = list(_ranges(found.since))
        _read_rollups(ledger, found, ranges, only, given)
        for at, completed, dead in ledger.rows(
            "SELECT at, sum(completed), sum(failed + expired) FROM rollup "
            f"WHERE grain = ? AND at >= ?{only} GROUP BY at",
            (MINUTE, first, *given),
        ):
            found.minutes[at] = [completed, dead]
        mark, earliest = endings.mark(ledger), min(found.since, first * MINUTE)
        sums, _ = endings.gather(ledger, mark, since=earliest, finest=first - 1, queue=queue, type_=type_)
        found.counts = rollups.counts(ledger, queue, type_)
        found.oldest_pending = rollups.oldest_pending(ledger, queue, type_)
        began = ledger.row("SELECT CAST(value AS REAL) FROM meta WHERE key = 'rollup_began'")
        known = [float(began[0])] if began else []
        first_created = rollups.first_created(ledger)
        found.began = min(known if first_created is None else [*known, first_created], default=None)
    _add(found, sums, first, whole=not only)
    return found


def _ranges(since: float) -> Iterator[tuple[int, int, int]]:
    """Grain, first period and the one after the last."""
    for grain, coarser in ((MINUTE, HOUR), (HOUR, DAY)):
        end = -(-since // coarser) * coarser
        if end > since:
            yield grain, int(since // grain), int(end // grain)
        since = end
    yield DAY, int(since // DAY), 2**62


def _read_rollups(
    ledger: Ledger, found: Window, ranges: Sequence[tuple[int, int, int]], only: str, given: Sequence[Any]
) -> None:
    for one in ranges:
        where, values = f"WHERE grain = ? AND at >= ? AND at < ?{only}", (*one, *given)
        for name, type_, spans, *numbers in ledger.rows(
            f"SELECT queue, type, spans, {', '.join(NUMBERS)} FROM rollup {where}", values
        ):
            totals = found.groups.setdefault((name, type_), Totals())
            totals.add_numbers(numbers)
            add_packed(totals.spans, spans)
        for *key, n in ledger.rows(
            f"SELECT queue, type, error, sum(n) FROM rollup_error {where} GROUP BY queue, type, error", values
        ):
            found.errors[key[0], key[1], key[2]] += n
        workers = where if only else f"{where} AND queue = '{EVERY}' AND type = '{EVERY}'"
        for worker, completed, failed, spans in ledger.rows(
            f"SELECT worker, completed, failed, spans FROM rollup_worker {workers}", values
        ):
            worked = found.workers.setdefault(worker, Worked())
            worked.completed += completed
            worked.failed += failed
            add_packed(worked.spans, spans)


def _add(found: Window, sums: Sums, first: int, whole: bool) -> None:
    """Add minutes that are not in the rollups; `first` is the first of those that are told one by one."""
    for (_, at, queue, type_), totals in sums.totals.items():
        if at * MINUTE >= found.since:
            found.groups.setdefault((queue, type_), Totals()).merge(totals)
        if at >= first and (totals.completed or totals.dead):
            minute = found.minutes.setdefault(at, [0, 0])
            minute[0] += totals.completed
            minute[1] += totals.dead
    for (_, at, queue, type_, error), n in sums.errors.items():
        if at * MINUTE >= found.since:
            found.errors[queue, type_, error] += n
    for (_, at, queue, _, worker), worked in sums.workers.items():
        if at * MINUTE >= found.since and (queue == EVERY) == whole:
            found.workers.setdefault(worker, Worked()).merge(worked)
