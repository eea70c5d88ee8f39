"""The one thread of a consumer that writes ends and claims: all that has ended, and the next claims, in one commit.

A worker never waits for the disk: it takes a job that lies in hand, runs it, and leaves its end here.
The writer settles what has come together, claims for the workers that wait, and while jobs are short
claims some more ahead. A short job so costs a share of one commit; one that lasts has its start written at once.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from jobdesk.core.errors import LedgerError
from jobdesk.core.job import Job
from jobdesk.ledger import breakers, claiming, rates, upkeep
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.queue.hand import Hand
from jobdesk.queue.wake import Wake

LOOK_AGAIN_S = 1.0
"""Who heard nothing looks by itself after this long."""
LEAST_AHEAD, MOST_AHEAD = 32, 512
SHORT_S = 0.02
"""Only jobs of types that take less are claimed ahead."""
HORIZON_S = 0.05
"""No job should lie in hand longer."""
ENDS_WAIT_S = 0.002
"""So long an end waits for others to be written with it, while the workers have enough in hand."""
STALE_S = 0.1
"""What lies in hand longer, since a job before it lasts, is put back."""
START_WAITS_S = 0.003
"""So long a start waits for its end, to be written with it."""
TRY_AGAIN_S = 1.0
_WEIGHT = 0.2
"""Of the last job in the mean of its type's durations."""


class End(Protocol):
    """How an attempt ended, as the writer sees it. Instants are epoch seconds."""

    @property
    def job(self) -> Job: ...
    @property
    def at(self) -> float: ...


E = TypeVar("E", bound=End)


class Writer(Generic[E]):
    """Owns the claims of one consumer."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Wake,
        consumer: str,
        queues: Sequence[str] | None,
        settle: Callable[[Tx, Sequence[E], Collection[int]], None],
        settled: Callable[[Sequence[E]], None],
        needs: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Made stopped.

        Args:
            settle: writes the ends of attempts, and the starts of those whose seq is in the last argument.
            settled: told after the commit.
            needs: says by type which service its jobs need; asked only while a breaker is not closed.
        """
        self._ledger = ledger
        self._wake = wake
        self._consumer = consumer
        self._queues = queues
        self._settle = settle
        self._settled = settled
        self._needs = needs
        self._bell = threading.Event()
        self._hungry = threading.Event()
        """Somebody waits for a job, or will soon."""
        self.hand = Hand(self._feed)
        self._ends: deque[E] = deque()
        self._starts: deque[Job] = deque()
        self._unsettled: list[E] = []
        """Taken from `_ends`, and not committed yet."""
        self._unwritten: dict[int, tuple[Job, float]] = {}
        """By seq, what was begun and the ledger does not know yet; and since when we know it, monotonic seconds."""
        self._returned: list[Claimed] = []
        """Taken from the hand, and not put back yet."""
        self._usual: dict[str, float] = {}
        """By type, the mean duration of its last jobs, in seconds."""
        self._depth = 0
        """How many jobs may lie in hand."""
        self._more = True
        """There may be something to claim."""
        self._ready = True
        """Jobs may lie ready that a limit keeps."""
        self._work = -1
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="jobdesk-writer", daemon=True)

    # ── for workers ──

    def begin(self, claimed: Claimed, worker: str) -> Job:
        """A worker begins a job that it took from the hand."""
        job = claimed.begin(worker, self._ledger.clock.now())
        if not claimed.begun:
            self._starts.append(job)
        return job

    def end(self, end: E) -> None:
        """A worker is through with a job; its end is written with the next commit."""
        self._ends.append(end)
        if not self._bell.is_set():
            self._bell.set()

    def _feed(self) -> None:
        self._hungry.set()
        self._bell.set()

    # ── life ──

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._wake.bells.append(self._bell.set)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Write what has ended, put back what nobody began, and end."""
        self.hand.close()
        self._stopping = True
        self._bell.set()
        self._thread.join(timeout_s)
        self._wake.bells.remove(self._bell.set)

    def _run(self) -> None:
        while True:
            self._bell.clear()
            self._hungry.clear()
            stopping = self._stopping
            if self.hand.is_well_filled and not stopping:
                self._hungry.wait(ENDS_WAIT_S)
            try:
                busy = self._step()
                pause_s = 0.0 if busy else self._pause()
            except LedgerError as error:
                logging.getLogger("jobdesk").error("cannot write the ends of jobs, trying again: %s", error)
                busy, pause_s = False, TRY_AGAIN_S
            except Exception:  # nothing of it is committed, and the worker threads live from this one
                logging.getLogger("jobdesk").exception("cannot claim or write the ends of jobs, trying again")
                busy, pause_s = False, TRY_AGAIN_S
            if stopping and not busy:
                return  # what cannot be written: the engine gives it back, or the next start does
            if pause_s and not self._stopping:
                self._bell.wait(pause_s)

    # ── one commit ──

    def _step(self) -> bool:
        """Do what there is to do, in one transaction; False if there was nothing."""
        self._gather()
        self._take_back()
        starts = self._due_starts()
        waiting, ahead = self._wanted()
        wanted, idle = bool(waiting or ahead), not (self._unsettled or starts or self._returned)
        self._ready = not (idle and wanted) or claiming.is_any(self._ledger)
        if idle and not (wanted and self._ready):
            self._more = False
            return False
        claimed: list[Claimed] = []
        # asked before the transaction: it may load every processor
        needs = self._needs() if wanted and breakers.any_shut(self._ledger) else None
        # after a loss of power nobody has a claim any more, whether or not it was on the disk
        with self._ledger.write(durable=bool(self._unsettled)) as tx:
            claiming.put_back(tx, self._returned)
            claiming.began(tx, starts)
            self._settle(tx, self._unsettled, self._unwritten)
            if wanted:
                claimed = claiming.claim_many(
                    tx, waiting, self._queues,
                    consumer=self._consumer, ahead=ahead, short=self._short(), needs=needs,
                )  # fmt: skip
                self._more = len(claimed) == len(waiting) + ahead
        ended, self._unsettled, self._returned = self._unsettled, [], []
        for job in (*starts, *(end.job for end in ended)):
            self._unwritten.pop(job.seq, None)
        self._returned = self.hand.give(claimed, self._ledger.clock.monotonic())
        if ended:
            self._settled(ended)
            self._more = True
            self._learn(ended)
        return bool(ended or claimed or self._returned)

    def _gather(self) -> None:
        """Take over what workers left. Ends first: the start of each is there by then."""
        while self._ends:
            self._unsettled.append(self._ends.popleft())
        now = self._ledger.clock.monotonic()
        while self._starts:
            job = self._starts.popleft()
            self._unwritten[job.seq] = job, now
        if self._wake.work != self._work:
            self._work, self._more = self._wake.work, True
            lying = self.hand.seqs()
            if lying and upkeep.is_unwanted(self._ledger, lying):
                self._returned += self.hand.clear()

    def _due_starts(self) -> list[Job]:
        """Jobs whose start must be written, since they last; that of one which has ended is written with its end."""
        ended = {end.job.seq for end in self._unsettled}
        latest = self._ledger.clock.monotonic() - START_WAITS_S
        return [job for seq, (job, since) in self._unwritten.items() if seq not in ended and since <= latest]

    def _take_back(self) -> None:
        """Take from the hand what lies there for too long; decide how deep it should be, by how long it lies."""
        oldest_since = self.hand.oldest_since
        if self.hand.closed:
            self._returned += self.hand.clear()
        elif oldest_since is None:
            self._depth = min(MOST_AHEAD, max(LEAST_AHEAD, 2 * self._depth))  # it was too little
        elif (lies_s := self._ledger.clock.monotonic() - oldest_since) > STALE_S:
            self._depth = 0
            self._usual.clear()
            self._returned += self.hand.clear()
        elif lies_s > HORIZON_S:
            self._depth //= 2

    def _wanted(self) -> tuple[list[str], int]:
        """The workers that wait, and how many jobs to claim ahead."""
        if self.hand.closed or not self._more:
            return [], 0
        room = self._depth - self.hand.ahead if self._short() else 0
        return self.hand.waiting(), room if room * 2 >= self._depth else 0

    def _short(self) -> set[str]:
        """The types whose jobs may be claimed ahead."""
        return {type_ for type_, usual_s in self._usual.items() if usual_s <= SHORT_S}

    def _learn(self, ended: Sequence[E]) -> None:
        for end in ended:
            took_s = max(0.0, end.at - (end.job.started_at or end.at))
            usual_s = self._usual.get(end.job.type, took_s)
            self._usual[end.job.type] = usual_s + _WEIGHT * (took_s - usual_s)

    def _pause(self) -> float:
        """Seconds until there may be something to do of which no bell tells."""
        if self._unwritten:
            return START_WAITS_S
        if self.hand.ahead:
            return STALE_S
        self._more = True
        now = self._ledger.clock.now()
        opens_at = rates.next_open(self._ledger, now) if self._ready else None
        return LOOK_AGAIN_S if opens_at is None else min(LOOK_AGAIN_S, max(0.001, opens_at - now))
