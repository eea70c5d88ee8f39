"""Claiming: which jobs start next, several in one transaction.

A claim compares the heads of the lanes (see `ledger.lanes`), so it costs the same however many jobs
wait. Workers that wait get a job each, which begins with the commit. More may be claimed *ahead*: held for
whoever is free next, not begun, and put back without a trace if nobody takes them soon. A job that
was ever claimed before is never taken ahead: should it be the one that kills its consumer, those that
were in hand with it have lost nothing.

Jobs without a concurrency key count themselves (`counted`): one change of each counter for all of
them, where a trigger would make one a job.
"""

import heapq
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.events import Kind
from jobdesk.core.job import Job, State
from jobdesk.ledger import breakers, counters, moves, rates
from jobdesk.ledger.database import EVENT, Ledger, Row, Tx
from jobdesk.ledger.rows import JOB, to_job
from jobdesk.ledger.said import Said

_STARTED = Kind.JOB_STARTED.value
AHEAD = "-"
"""In place of a worker's number: claimed, and nobody has begun it."""


@dataclass(slots=True)
class Claimed:
    """A job that a consumer holds. `begun`: its start is written, with the worker that it was claimed for."""

    row: Row
    worker: str
    at: float
    begun: bool
    since: float = 0.0
    """Since when it lies in hand, monotonic seconds."""
    job: Job | None = None
    """Made before it began."""

    @property
    def seq(self) -> int:
        return int(self.row[0])

    @property
    def type(self) -> str:
        return str(self.row[2])

    @property
    def fence(self) -> int:
        return int(self.row[8]) + 1

    @property
    def is_plain(self) -> bool:
        """Whether it is of no flow, and its time has come for all we know."""
        return self.row[17] is None and self.row[11] is not None

    def prepare(self, worker: str) -> Job:
        """The job as it will be when this worker has begun it, but for the instant."""
        self.job = self.begin(worker, self.at)
        return self.job

    def begin(self, worker: str, at: float) -> Job:
        """The job, run by this worker from this instant on (by its own and from the claim on, if it has begun)."""
        if self.begun:
            worker, at = self.worker, self.at
        if self.job is not None and self.job.worker == worker:
            self.job.started_at = at
            return self.job
        row = list(self.row)
        row[4], row[6], row[8] = State.PROCESSING, row[6] + 1, row[8] + 1
        row[12], row[13], row[16], row[25] = at, None, worker, None
        return to_job(row)


_HEADS = f"""
SELECT head.rank, head.seq, l.queue, l.type,
  coalesce(q.concurrency, q.concurrency_set)
    - coalesce((SELECT n FROM tally WHERE queue = q.name AND state = 'processing'), 0)
FROM lane l CROSS JOIN queue q ON q.name = l.queue CROSS JOIN job head ON head.seq = (
  SELECT seq FROM job INDEXED BY job_claim WHERE queue = l.queue AND type = l.type
    AND state = 'pending' AND parked = 0 AND (expires_at IS NULL OR expires_at > :now)
  ORDER BY rank DESC, seq LIMIT 1)
WHERE l.ready > 0 AND q.paused_at IS NULL
  AND NOT {rates.full("queue", "l.queue")} AND NOT {rates.full("type", "l.type")}
  AND (:queues IS NULL OR q.name IN (SELECT value FROM json_each(:queues)))
"""
_NEXT = (
    "SELECT rank, seq FROM job INDEXED BY job_claim WHERE queue = ? AND type = ? AND state = 'pending' "
    "AND parked = 0 AND (expires_at IS NULL OR expires_at > ?) ORDER BY rank DESC, seq LIMIT ?"
)
_FIRST_TIME = (
    "WITH taken (worker, at, seq) AS (VALUES {}) UPDATE job SET state = 'processing', attempt = attempt + 1, "
    "fence = fence + 1, worker = taken.worker, started_at = taken.at, counted = counted + 1 "
    "FROM taken WHERE job.seq = taken.seq"
)
_AGAIN = (
    "UPDATE job SET state = 'processing', attempt = attempt + 1, fence = fence + 1, worker = ?, started_at = ?, "
    "finished_at = NULL, progress_done = NULL, progress_total = NULL, progress_message = NULL WHERE seq = ?"
)


def claim(tx: Tx, worker: str, queues: Sequence[str] | None = None) -> Job | None:
    """Take the first runnable job: highest priority, then oldest, of what no pause, limit or key keeps.

    Args:
        worker: who runs it, as shown to people.
        queues: only these; None means all.
    """
    found = claim_many(tx, [worker], queues)
    return found[0].begin(worker, tx.now) if found else None


def claim_many(
    tx: Tx,
    workers: Sequence[str],
    queues: Sequence[str] | None = None,
    *,
    consumer: str = "",
    ahead: int = 0,
    short: Collection[str] = (),
    needs: Mapping[str, str] | None = None,
) -> list[Claimed]:
    """Take the first runnable jobs: one for each worker, then up to `ahead` more for the consumer; in their order.

    Args:
        workers: those that wait, as shown to people.
        queues: only these; None means all.
        short: types whose jobs may be taken ahead; the first of another type ends the taking.
        needs: by type, the service that its jobs need, if a breaker may keep some of them.
    """
    limits, services = rates.left(tx), breakers.room(tx) if needs else {}
    gates = {type_: name for type_, name in needs.items() if name in services} if needs else {}
    seqs = list(_pick(tx, len(workers) + ahead, queues, limits, services, gates))
    if not seqs:
        return []
    rows = {row[0]: row for row in tx.rows(
        f"SELECT {JOB} FROM job j WHERE j.seq IN (SELECT value FROM json_each(?))", (json.dumps(seqs),)
    )}  # fmt: skip
    taken: list[Claimed] = []
    keys, passed = set(), False
    for seq in seqs:
        row = rows[seq]
        begun, key = len(taken) < len(workers), row[37]
        # the start of one that is limited or on trial counts from when it begins
        limited = ("queue", row[3]) in limits or ("type", row[2]) in limits or row[2] in gates
        if not begun and (limited or row[2] not in short or row[8] > 0 or key is not None):
            break
        if key is not None:
            if key in keys:  # the head of another lane has this key too, until these are written
                passed = True
                break
            keys.add(key)
        worker = workers[len(taken)] if begun else f"{consumer}/{AHEAD}"
        taken.append(Claimed(row, worker, tx.now, begun))
    _write(tx, taken)
    if limits:
        for one in taken:
            rates.started(tx, one.row[3], one.type)
    if gates:
        for one in taken:
            if one.type in gates:
                breakers.on_trial(tx, gates[one.type], one.seq, one.fence)
    if passed:  # it is out of the way now
        left = len(taken) - len(workers)
        taken += claim_many(
            tx, workers[len(taken) :], queues,
            consumer=consumer, ahead=ahead - max(0, left), short=short, needs=needs,
        )  # fmt: skip
    return taken


def _pick(
    tx: Tx,
    most: int,
    queues: Sequence[str] | None,
    limits: Mapping[tuple[rates.Scope, str], int],
    services: Mapping[str, int],
    gates: Mapping[str, str],
) -> Iterator[int]:
    """Seqs in the order of their start, as far as concurrency, rate limits and breakers let them.

    Args:
        services: how many jobs those take whose breaker is not closed.
        gates: by type, which of them it needs.
    """
    lanes = tx.rows(_HEADS, {"now": tx.now, "queues": None if queues is None else json.dumps(list(queues))})
    if not lanes:
        return
    room: dict[tuple[str, str], int] = {("service", name): left for name, left in services.items()}
    room |= {(scope, name): left for (scope, name), left in limits.items()}
    for _, _, queue, _, left in lanes:
        if left is not None:
            room["queue", queue] = min(left, room.get(("queue", queue), left))
    heads = [(-rank, seq, queue, type_) for rank, seq, queue, type_, _ in lanes]
    heapq.heapify(heads)
    rest: dict[tuple[str, str], Iterator[Row]] = {}
    count = 0
    while heads and count < most:
        _, seq, queue, type_ = heapq.heappop(heads)
        binding = [key for key in _limits(queue, type_, gates) if key in room] if room else []
        if any(room[key] <= 0 for key in binding):
            continue  # with all that waits in its lane
        for key in binding:
            room[key] -= 1
        yield seq
        count += 1
        if count == most:
            return
        if (queue, type_) not in rest:
            more = iter(tx.rows(_NEXT, (queue, type_, tx.now, most - count + 1)))
            next(more, None)
            rest[queue, type_] = more
        following = next(rest[queue, type_], None)
        if following is not None:
            heapq.heappush(heads, (-following[0], following[1], queue, type_))


def _limits(queue: str, type_: str, gates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What may limit how many of a lane start."""
    yield "queue", queue
    yield "type", type_
    if type_ in gates:
        yield "service", gates[type_]


def _write(tx: Tx, taken: Sequence[Claimed]) -> None:
    first: list[Any] = []
    again: list[Any] = []
    events: list[Any] = []
    queues: dict[str, int] = {}
    lanes: dict[tuple[str, str], int] = {}
    said = Said("attempt", "worker")
    now = tx.now
    for one in taken:
        row, worker = one.row, one.worker
        seq, type_, queue = row[0], row[2], row[3]
        if row[8] == 0 and row[37] is None:
            first += (worker, now, seq)
            queues[queue] = queues.get(queue, 0) + 1
            lanes[queue, type_] = lanes.get((queue, type_), 0) + 1
        else:
            again.append((worker, now, seq))
        if one.begun:
            events += (now, _STARTED, seq, queue, said[row[6] + 1, worker])
    tx.spread(_FIRST_TIME, 3, first)
    tx.many(_AGAIN, again)
    counters.moved(tx, queues, State.PENDING, State.PROCESSING)
    counters.left_lanes(tx, lanes)
    tx.spread(EVENT, 5, events)


def is_any(ledger: Ledger) -> bool:
    """Whether any job is ready whose queue is not paused, limited as it may be; costs a look at two small tables."""
    row = ledger.row(
        "SELECT 1 FROM lane l JOIN queue q ON q.name = l.queue WHERE l.ready > 0 AND q.paused_at IS NULL LIMIT 1"
    )
    return row is not None


def began(tx: Tx, jobs: Sequence[Job]) -> None:
    """Jobs that were claimed ahead have begun, as they say: when, and by which worker. One that was lost is left."""
    if not jobs:
        return
    kept = held(tx, jobs)
    tx.many(
        "UPDATE job SET worker = ?, started_at = ? WHERE seq = ?",
        [(job.worker, job.started_at, job.seq) for job in jobs if job.seq in kept],
    )
    said = Said("attempt", "worker")
    events: list[Any] = []
    for job in jobs:
        if job.seq in kept:
            events += (job.started_at or tx.now, _STARTED, job.seq, job.queue, said[job.attempt, job.worker])
    tx.spread(EVENT, 5, events)


def put_back(tx: Tx, jobs: Sequence[Claimed]) -> None:
    """Jobs claimed ahead that nobody began wait again, as if nothing had been; nobody may begin them any more."""
    for one in jobs:
        tx.run(
            "UPDATE job SET state = 'pending', attempt = attempt - 1, fence = fence - 1, worker = NULL, "
            "started_at = NULL WHERE seq = ? AND state = 'processing' AND fence = ?",
            (one.seq, one.fence),
        )
        unwanted = tx.row("SELECT id FROM job WHERE seq = ? AND cancel_requested_at IS NOT NULL", (one.seq,))
        if unwanted is not None:
            moves.cancel(tx, unwanted[0], "cancelled before it began")
    tx.wakes = tx.wakes or bool(jobs)


def held(tx: Tx, jobs: Sequence[Job]) -> dict[int, bool]:
    """Seqs of the claims that still fit (the job runs, nobody has claimed it since), and whether to stop it."""
    fences = {job.seq: job.fence for job in jobs}
    return {
        seq: bool(cancelled)
        for seq, fence, cancelled in tx.rows(
            "SELECT seq, fence, cancel_requested_at IS NOT NULL FROM job "
            "WHERE seq IN (SELECT value FROM json_each(?)) AND state = 'processing'",
            (json.dumps(list(fences)),),
        )
        if fences[seq] == fence
    }
