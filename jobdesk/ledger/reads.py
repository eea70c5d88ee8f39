"""What screens and commands read: one job, its story, counts, queues, assets. Nothing here writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.clock import iso
from jobdesk.core.errors import NotFound, UsageError
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import DEAD, Artifact, Job, State
from jobdesk.core.rate import Rate
from jobdesk.core.redaction import shown
from jobdesk.ledger.database import Ledger, Row, Tx
from jobdesk.ledger.rows import JOB, to_job
from jobdesk.ledger.shortened import the_one

Counts = dict[State, int]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its live counts."""

    name: str
    priority: int
    concurrency: int | None
    ttl_s: float | None
    dead_letter_ttl_s: float | None
    max_size: int | None
    description: str
    paused_at: float | None
    paused_by: str | None
    counts: Counts
    keep_completed: int | None = None
    keep_failed: int | None = None
    rate_limit: str | None = None

    @property
    def dead(self) -> int:
        """Jobs in its dead letters."""
        return self.counts[State.FAILED] + self.counts[State.EXPIRED]

    @property
    def later(self) -> int:
        """Jobs that wait for a time or for other jobs."""
        return self.counts[State.SCHEDULED] + self.counts[State.RETRYING] + self.counts[State.BLOCKED]

    def to_json(self) -> dict[str, Any]:
        """The shape that commands print with --json."""
        return {
            "name": self.name,
            "description": self.description,
            "priority": self.priority,
            "concurrency": self.concurrency,
            "ttl_s": self.ttl_s,
            "dead_letter_ttl_s": self.dead_letter_ttl_s,
            "max_size": self.max_size,
            "keep_completed": self.keep_completed,
            "keep_failed": self.keep_failed,
            "rate_limit": self.rate_limit,
            "paused": self.paused_at is not None,
            "paused_at": iso(self.paused_at),
            "paused_by": self.paused_by,
            "counts": {state.value: count for state, count in self.counts.items()},
            "later": self.later,
            "dead": self.dead,
        }


def dead_letters(queues: Sequence[Queue], name: str, of: str) -> Queue | None:
    """The dead letters of a queue, or of all of them (`of` is ""), as if they were a queue; None: there is none."""
    meant = [one for one in queues if of in ("", one.name)]
    if not meant:
        return None
    counts = {state: sum(one.counts[state] for one in meant) if state in DEAD else 0 for state in State}
    told = "dead letters of all queues" if not of else f"dead letters of {of}"
    kept_s = meant[0].dead_letter_ttl_s if of else None
    return Queue(name, meant[0].priority if of else 50, None, None, kept_s, None, told, None, None, counts)


def full_id(ledger: Ledger, prefix: str) -> str:
    """The one job id that starts with `prefix` (which may lack `job_`, in any case).

    Raises:
        NotFound: none does.
        UsageError: several do.
    """
    start = prefix.strip()
    if not start.lower().startswith("job_"):
        start = "job_" + start
    start = "job_" + start[4:].upper()
    return the_one(ledger, "job", start, prefix)


def job(ledger: Ledger | Tx, id_: str, *, with_ties: bool = True) -> Job:
    """A whole job, by its full id.

    Args:
        ledger: or a transaction: then as it is there.
        with_ties: False leaves out what other tables know: the jobs it comes after, and its artifacts.

    Raises:
        NotFound: there is none.
    """
    row = ledger.row(f"SELECT {JOB} FROM job j WHERE id = ?", (id_,))
    if row is None:
        raise NotFound(f"there is no job {id_}")
    if not with_ties:
        return to_job(row)
    after = ledger.rows(
        "SELECT p.id FROM dependency d JOIN job p ON p.seq = d.parent WHERE d.job = ? ORDER BY p.seq", (row[0],)
    )
    made = ledger.rows("SELECT path, kind, bytes FROM artifact WHERE job = ? ORDER BY path", (row[0],))
    return to_job(row, after=tuple(id_ for (id_,) in after), artifacts=tuple(Artifact(*item) for item in made))


def jobs(ledger: Ledger, ids: Sequence[str]) -> dict[str, Job]:
    """Jobs by id, without their artifacts and `after`; ids that do not exist are left out."""
    rows = ledger.rows(
        f"SELECT {JOB} FROM job j WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {row[1]: to_job(row) for row in rows}


def states(ledger: Ledger, ids: Sequence[str]) -> dict[str, State]:
    """State of each job; ids that do not exist are left out."""
    rows = ledger.rows(
        "SELECT id, state FROM job WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {id_: State(state) for id_, state in rows}


def flow_jobs(ledger: Ledger, flow: str) -> list[Job]:
    """Every job of a flow, oldest first."""
    rows = ledger.rows(f"SELECT {JOB} FROM job j WHERE flow = ? ORDER BY seq", (flow,))
    after: dict[str, list[str]] = {}
    for child, parent in ledger.rows(
        "SELECT c.id, p.id FROM job c JOIN dependency d ON d.job = c.seq JOIN job p ON p.seq = d.parent "
        "WHERE c.flow = ? ORDER BY p.seq",
        (flow,),
    ):
        after.setdefault(child, []).append(parent)
    return [to_job(row, after=tuple(after.get(row[1], ()))) for row in rows]


def flow_results(ledger: Ledger, flow: str) -> dict[str, Any]:
    """Results of the completed jobs of a flow, by step (or type)."""
    rows = ledger.rows(
        "SELECT coalesce(step, type), result FROM job WHERE flow = ? AND state = 'completed' ORDER BY seq", (flow,)
    )
    return {step: json.loads(result) for step, result in rows}


def relatives(ledger: Ledger, id_: str) -> tuple[list[Job], list[Job]]:
    """The jobs this one waits for, and those that wait for it or were added by it."""
    before = ledger.rows(
        f"SELECT {JOB} FROM job me JOIN dependency d ON d.job = me.seq JOIN job j ON j.seq = d.parent "
        "WHERE me.id = ? ORDER BY j.seq",
        (id_,),
    )
    behind = ledger.rows(
        f"SELECT {JOB} FROM job j WHERE j.seq IN (SELECT d.job FROM job me JOIN dependency d ON d.parent = me.seq "
        "WHERE me.id = ?1) OR (j.parent = ?1 AND j.flow = (SELECT flow FROM job WHERE id = ?1)) ORDER BY j.seq",
        (id_,),
    )
    return [to_job(row) for row in before], [to_job(row) for row in behind]


def attempts(ledger: Ledger, id_: str) -> list[dict[str, Any]]:
    """How each attempt of a job went, oldest first: the rows of table `attempt`."""
    names = (
        "fence", "number", "outcome", "worker", "started_at", "finished_at", "cpu_ms", "max_rss_bytes",
        "error_type", "error_message", "error_traceback",
    )  # fmt: skip
    rows = ledger.rows(
        f"SELECT {', '.join('a.' + name for name in names)} FROM attempt a JOIN job j ON j.seq = a.job "
        "WHERE j.id = ? ORDER BY a.fence",
        (id_,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def queues(ledger: Ledger) -> list[Queue]:
    """Every queue with its counts, by name."""
    counts: dict[str, Counts] = {}
    for name, state, n in ledger.rows("SELECT queue, state, n FROM tally"):
        counts.setdefault(name, _no_jobs())[State(state)] = n
    rows = ledger.rows(
        "SELECT q.name, priority, coalesce(concurrency, concurrency_set), ttl_s, dead_letter_ttl_s, max_size, "
        "description, paused_at, paused_by, keep_completed, keep_failed, r.most, r.span_s FROM queue q "
        "LEFT JOIN rate r ON r.scope = 'queue' AND r.name = q.name ORDER BY q.name"
    )
    return [
        Queue(
            name,
            rank,
            size,
            ttl_s,
            dead_ttl_s,
            most,
            text,
            at,
            by,
            counts.get(name) or _no_jobs(),
            completed,
            failed,
            str(Rate(starts, span_s)) if starts else None,
        )
        for name, rank, size, ttl_s, dead_ttl_s, most, text, at, by, completed, failed, starts, span_s in rows
    ]


def queue(ledger: Ledger, name: str) -> Queue:
    """One queue.

    Raises:
        NotFound: there is none of this name.
    """
    for found in queues(ledger):
        if found.name == name:
            return found
    raise NotFound(f"there is no queue {name}")


def _no_jobs() -> Counts:
    return dict.fromkeys(State, 0)


_EVENT = "SELECT e.id, e.at, e.kind, j.id, e.queue, e.data FROM event e LEFT JOIN job j ON j.seq = e.job"


def events(
    ledger: Ledger, *, after: int = 0, job: str | None = None, kinds: Sequence[Kind] = (), limit: int = 1000
) -> list[Event]:
    """Events with an id above `after`, oldest first; of one job (full id), of these kinds."""
    where, values = ["e.id > ?"], [after]
    return [to_event(row) for row in _events(ledger, where, values, job, kinds, "e.id", limit)]


def last_events(ledger: Ledger, *, job: str | None = None, kinds: Sequence[Kind] = (), limit: int = 100) -> list[Event]:
    """The newest events, oldest of them first."""
    rows = _events(ledger, ["1"], [], job, kinds, "e.id DESC", limit)
    return [to_event(row) for row in reversed(rows)]


def _events(
    ledger: Ledger, where: list[str], values: list[Any], job: str | None, kinds: Sequence[Kind], order: str, limit: int
) -> list[Row]:
    if job is not None:
        where.append("e.job = (SELECT seq FROM job WHERE id = ?)")
        values.append(job)
    if kinds:
        where.append(f"e.kind IN ({', '.join('?' * len(kinds))})")
        values.extend(kinds)
    return ledger.rows(f"{_EVENT} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?", (*values, limit))


def to_event(row: Row) -> Event:
    """An event from its row: id, at, kind, job's id, queue, data."""
    id_, at, kind, job_id, queue_name, data = row
    return Event(id_, at, Kind(kind), job_id, queue_name, json.loads(data) if data else {})


def finished(ledger: Ledger, limit: int) -> list[Job]:
    """The jobs that ended last, newest first."""
    return [to_job(row) for row in ledger.rows(
        f"SELECT {JOB} FROM job j WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?", (limit,)
    )]  # fmt: skip


def processing(ledger: Ledger, limit: int = 1000) -> list[Job]:
    """The jobs that run now, longest first."""
    return [to_job(row) for row in ledger.rows(
        f"SELECT {JOB} FROM job j WHERE state = 'processing' ORDER BY started_at LIMIT ?", (limit,)
    )]  # fmt: skip


def assets(ledger: Ledger, word: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Recorded assets, newest first; with `word` only those whose record contains it."""
    rows = ledger.rows(
        "SELECT record FROM asset WHERE instr(lower(record), lower(?)) ORDER BY created_at DESC, id DESC LIMIT ?",
        (word, limit),
    )
    return [shown(json.loads(record), names=False) for (record,) in rows]


def asset(ledger: Ledger, id_: str) -> dict[str, Any]:
    """One asset, by its id or a unique beginning of it.

    Raises:
        NotFound: there is none.
        UsageError: several begin like this.
    """
    rows = ledger.rows("SELECT id, record FROM asset WHERE id >= ? AND id < ? LIMIT 2", (id_, id_ + "~"))
    if not rows:
        raise NotFound(f"there is no asset {id_}")
    if len(rows) > 1 and rows[0][0] != id_:
        raise UsageError(f"'{id_}' fits several assets: give more of the id")
    found: dict[str, Any] = shown(json.loads(rows[0][1]), names=False)
    return found
