"""From a query to pages, lines, counts and jumps that stay fast with 1,000,000 jobs.

Everything walks one index in order of seq and stops when it has enough (`ledger.plan` chooses which);
nothing skips rows of the wide table, and counts that counters know are never counted.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.errors import UsageError
from jobdesk.core.job import Job, State
from jobdesk.core.query import Query
from jobdesk.core.subject import subject_of_text
from jobdesk.ledger.database import Ledger, Row
from jobdesk.ledger.plan import Plan, plan
from jobdesk.ledger.rows import JOB, to_job

EXAMINED = 100_000
"""Rows a count looks at when it has to read them; what lies beyond makes it inexact."""
COVERED = 1_000_000
"""The same where an index alone answers."""
HEAD = 2000
"""Characters of a payload that are read to say what a job is about."""


@dataclass(frozen=True, slots=True)
class Line:
    """A job as lists show it. Instants are epoch seconds; `subject` is what it is about, "" if unknown."""

    seq: int
    id: str
    type: str
    queue: str
    state: State
    priority: int
    attempt: int
    max_attempts: int
    user: str | None
    created_at: float
    run_at: float
    ready_at: float | None
    started_at: float | None
    finished_at: float | None
    progress_done: float | None
    progress_total: float | None
    progress_message: str | None
    error_type: str | None
    error_message: str | None
    flow: str | None
    worker: str | None
    cancel_requested_at: float | None
    subject: str


_LINE = (
    "j.seq, j.id, j.type, j.queue, j.state, j.priority, j.attempt, j.max_attempts, j.user, j.created_at, j.run_at, "
    "j.ready_at, j.started_at, j.finished_at, j.progress_done, j.progress_total, j.progress_message, j.error_type, "
    f"substr(j.error_message, 1, 500), j.flow, j.worker, j.cancel_requested_at, substr(j.data, 1, {HEAD})"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, newest first, and the token that gives the next page; None: there are no more."""

    jobs: list[Job]
    next: str | None


def page(ledger: Ledger, query: Query, *, limit: int = 50, token: str | None = None, skip: int = 0) -> Page:
    """A page of whole jobs (without `after` and artifacts), newest first.

    Args:
        skip: leave out so many first; each is walked over (some 0.4 ms a thousand), so a token is better.

    Raises:
        UsageError: the token is not one that an earlier page gave, or the limit is not positive.
    """
    if limit < 1:
        raise UsageError(f"the limit is {limit}: ask for at least 1 job")
    before = None if token is None else _before(token)
    rows = _rows(ledger, JOB, plan(ledger, query), limit + 1, before=before, offset=skip)
    found = [to_job(row) for row in rows[:limit]]
    return Page(found, _token(found[-1].seq) if len(rows) > limit else None)


def lines(ledger: Ledger, query: Query, *, before_seq: int | None = None, limit: int = 100) -> list[Line]:
    """Lines of jobs older than `before_seq` (None: from the newest on), newest first."""
    return [_line(row) for row in _rows(ledger, _LINE, plan(ledger, query), limit, before=before_seq)]


def opening(ledger: Ledger, query: Query, limit: int) -> tuple[list[Line], int | None]:
    """The newest lines, and how many jobs match if counters know it; None if they would have to be counted."""
    chosen = plan(ledger, query)
    return [_line(row) for row in _rows(ledger, _LINE, chosen, limit)], 0 if chosen.nothing else chosen.counted


def lines_after(ledger: Ledger, query: Query, *, after_seq: int, limit: int = 100) -> list[Line]:
    """Lines of the jobs next newer than `after_seq`, newest of them first; `after_seq=0` gives the oldest."""
    return [_line(row) for row in _rows(ledger, _LINE, plan(ledger, query), limit, after=after_seq)]


def lines_by_seq(ledger: Ledger, seqs: Sequence[int]) -> dict[int, Line]:
    """Lines by seq; those that are gone are left out."""
    marks = ", ".join("?" * len(seqs))
    return {row[0]: _line(row) for row in ledger.rows(f"SELECT {_LINE} FROM job j WHERE j.seq IN ({marks})", seqs)}


def count(ledger: Ledger, query: Query, *, examined: int = EXAMINED) -> tuple[int, bool]:
    """How many jobs match, and whether that is exact; if not, there are at least so many.

    States and queues are looked up in the counters; for the rest `examined` rows are read at the most, newest first
    (some 0.4 ms a thousand).
    """
    return _count(ledger, plan(ledger, query), examined)


def seq_at(ledger: Ledger, query: Query, offset_from_newest: int) -> int | None:
    """Seq of the job that stands at this place of the list (0 is the newest); None if the list is shorter.

    For jumps of a screen: with all jobs it may be off by a few where seqs have gaps or ids are out of order.
    """
    chosen = plan(ledger, query)
    if chosen.nothing or offset_from_newest < 0:
        return None
    if chosen.everything:
        return _seq_of_all(ledger, chosen.counted or 0, offset_from_newest)
    known, exact = _count(ledger, chosen, EXAMINED)
    from_end = known - 1 - offset_from_newest
    if exact and from_end < 0:
        return None
    if exact and from_end < offset_from_newest:
        sql, values = chosen.sql(limit=1, after=0, offset=from_end)
    else:
        sql, values = chosen.sql(limit=1, offset=offset_from_newest)
    row = ledger.row(sql, values)
    return None if row is None else int(row[0])


def ids(ledger: Ledger, query: Query, limit: int | None = None) -> list[str]:
    """Ids of all jobs that match, newest first, or of the newest `limit`."""
    return [str(id_) for (id_,) in _rows(ledger, "j.id", plan(ledger, query), -1 if limit is None else limit)]


def _rows(
    ledger: Ledger,
    columns: str,
    chosen: Plan,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
    offset: int = 0,
) -> list[Row]:
    if chosen.nothing:
        return []
    inner, values = chosen.sql(limit=limit, before=before, after=after, offset=offset)
    return ledger.rows(
        f"SELECT {columns} FROM ({inner}) found CROSS JOIN job j ON j.seq = found.seq ORDER BY found.seq DESC", values
    )


def _count(ledger: Ledger, chosen: Plan, examined: int) -> tuple[int, bool]:
    if chosen.nothing:
        return 0, True
    if chosen.counted is not None:
        return chosen.counted, True
    cap = max(examined, COVERED) if chosen.covered else examined
    sql, values = chosen.examine(cap + 1)
    row = ledger.row(f"SELECT count(*), coalesce(sum(hit), 0) FROM ({sql})", values)
    assert row is not None
    seen, hits = row
    return (int(hits), True) if seen <= cap else (min(int(hits), cap), False)


def _seq_of_all(ledger: Ledger, total: int, offset: int) -> int | None:
    if offset >= total:
        return None
    ends = ledger.row("SELECT (SELECT min(seq) FROM job), (SELECT max(seq) FROM job)")
    assert ends is not None
    oldest, newest = ends
    if newest is None:
        return None
    if newest - oldest + 1 == total:
        return int(newest - offset)
    order, skip = ("DESC", offset) if offset < total / 2 else ("ASC", total - 1 - offset)
    # ids rise with seq, and their index is narrow: the table itself would be read page by page
    row = ledger.row(f"SELECT seq FROM job ORDER BY id {order} LIMIT 1 OFFSET ?", (skip,))
    return None if row is None else int(row[0])


def _line(row: Row) -> Line:
    values = list(row)
    values[4], values[-1] = State(values[4]), subject_of_text(values[-1])
    return Line(*values)


def _token(seq: int) -> str:
    return base64.urlsafe_b64encode(f"seq:{seq}".encode()).decode().rstrip("=")


def _before(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        head, _, number = text.partition(":")
        seq = int(number)
        if head == "seq" and 0 < seq < 2**63:
            return seq
    except (binascii.Error, ValueError):
        pass
    raise UsageError(f"'{token[:80]}' is not a page token: use the one that the page before gave, or none")
