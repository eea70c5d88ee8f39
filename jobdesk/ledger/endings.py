"""Ends of jobs, and how the ledger knows which of them are not in the rollups yet.

Storing, claiming and completing a job do not touch the rollups: `ledger.folding` adds ends to them later, in the order
of their events, up to a mark. What ends above the mark is read from its event and its job. Before such a job runs
again or goes, a trigger keeps its end in `unfolded`: the rollups, those, and the jobs of the other events above the
mark are together every end there ever was, each once.

Many ends are added up by SQLite, in one statement: it takes some 4 µs an end there, and lets other threads run.
"""

from collections import Counter
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.job import DEAD, State
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.spans import Spans, bin_in_sql
from jobdesk.ledger.totals import EVERY, MINUTE, Sums, Totals

MARK_KEY = "rollup"
ENDS = (Kind.JOB_COMPLETED, Kind.JOB_FAILED, Kind.JOB_CANCELLED, Kind.JOB_EXPIRED)


def mark(ledger: Ledger) -> int:
    """Id of the event up to which all ends are in the rollups."""
    row = ledger.row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (MARK_KEY,))
    return int(row[0]) if row else 0


def last_of(ledger: Ledger, mark: int, most: int) -> int:
    """Id of the event up to which a look at `most` events above the mark goes; the mark itself if there is none."""
    row = ledger.row(
        "SELECT max(id) FROM (SELECT id FROM (SELECT id FROM event WHERE id > ?1 ORDER BY id LIMIT ?2) UNION "
        "SELECT event FROM unfolded ORDER BY 1 LIMIT ?2)",
        (mark, most),
    )
    return int(row[0]) if row and row[0] is not None else mark


_KINDS = ", ".join(f"'{kind.value}'" for kind in ENDS)
_COLUMNS = (
    "queue", "type", "state", "attempt", "worker", "created_at", "ready_at", "started_at", "cpu_ms",
    "max_rss_bytes", "error_type",
)  # fmt: skip
_SPANS = ("waited", "took", "total")
_GATHERED = (
    f"WITH ends AS (SELECT at, {', '.join(_COLUMNS)} FROM unfolded WHERE event <= :last AND at >= :since UNION ALL "
    f"SELECT j.finished_at, {', '.join('j.' + name for name in _COLUMNS)} "
    "FROM event e NOT INDEXED CROSS JOIN job j ON j.seq = e.job "
    f"WHERE e.id > :mark AND e.id <= :last AND e.kind IN ({_KINDS}) AND j.finished_at >= :since "
    "AND e.id NOT IN (SELECT event FROM unfolded)), "
    # whether it ended by running; and its spans, seconds, NULL where there is none
    "known AS (SELECT *, started_at IS NOT NULL AND state IN ('completed', 'failed') AS ran FROM ends), "
    "spans AS (SELECT *, CASE WHEN ran OR started_at >= ready_at THEN max(0.0, started_at - ready_at) END AS waited, "
    "CASE WHEN ran THEN max(0.0, at - started_at) END AS took, "
    "CASE WHEN state <> 'cancelled' THEN max(0.0, at - created_at) END AS total FROM known) "
    f"SELECT max(:finest, CAST(at / {MINUTE} AS INTEGER)) AS minute, queue, type, state, ran, worker, error_type, "
    "count(*), sum(attempt > 1), min(created_at), count(cpu_ms), coalesce(sum(cpu_ms), 0), coalesce(max(cpu_ms), 0), "
    "count(max_rss_bytes), coalesce(sum(max_rss_bytes), 0), coalesce(max(max_rss_bytes), 0), "
    f"{', '.join(f'coalesce(sum({name}), 0), group_concat({bin_in_sql(name)})' for name in _SPANS)} "
    "FROM spans WHERE 1{only} GROUP BY minute, queue, type, state, ran, worker, error_type"
)


def gather(
    ledger: Ledger,
    mark: int,
    last: int = 2**62,
    *,
    since: float = -1e300,
    finest: int = 0,
    queue: str | None = None,
    type_: str | None = None,
) -> tuple[Sums, float | None]:
    """What the ends above the mark come to, minute by minute, and when the first of their jobs was stored.

    Those up to an event, not before an instant (epoch seconds), of a queue and type; in one consistent state. What
    ended before the minute `finest` counts to that one: few sums are quicker to read.
    """
    given = {name: value for name, value in (("queue", queue), ("type", type_)) if value is not None}
    only = "".join(f" AND {name} = :{name}" for name in given)
    sums = Sums()
    first: float | None = None
    values = {"mark": mark, "last": last, "since": since, "finest": finest, **given}
    for row in ledger.rows(_GATHERED.format(only=only), values):
        _add(sums, row)
        first = row[9] if first is None else min(first, row[9])
    return sums, first


def _add(sums: Sums, row: tuple[Any, ...]) -> None:
    minute, queue, type_, state, ran, worker, error, ended, again, _, *used = row
    key = MINUTE, minute, queue, type_
    part = Totals(again=again)
    setattr(part, state, ended)
    if ran:
        part.cpu_jobs, part.cpu_ms, part.cpu_most_ms, part.rss_jobs, part.rss_bytes, part.rss_most_bytes = used[:6]
    for spans, sum_s, bins in zip(part.spans, used[6::2], used[7::2], strict=True):
        _fill(spans, sum_s, bins)
    sums.of(key).merge(part)
    dead = State(state) in DEAD
    if dead:
        sums.errors[*key, error or state] += ended
    if ran and worker is not None:
        for of in ((*key, worker), (MINUTE, minute, EVERY, EVERY, worker)):
            worked = sums.of_worker(of)
            worked.completed += 0 if dead else ended
            worked.failed += ended if dead else 0
            for own, its in zip(worked.spans, part.spans, strict=True):
                own.merge(its)


def _fill(spans: Spans, sum_s: float, bins: str | None) -> None:
    if bins is not None:
        spans.add(sum_s, {int(number): n for number, n in Counter(bins.split(",")).items()})
