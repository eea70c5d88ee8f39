"""What a consumer has in hand: jobs claimed and not begun, and the workers that wait for one."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from jobdesk.ledger.claiming import Claimed

KEPT = 8
"""Of what lies ready, so many are left to workers that have nothing to do."""


class _Waiting:
    """A worker that waits; `job` is set before `told`."""

    __slots__ = ("job", "told")

    def __init__(self) -> None:
        self.told = threading.Event()
        self.job: Claimed | None = None


class Hand:
    """Between the writer, who claims jobs, and the workers, who take them. Taking one that lies ready needs no lock."""

    def __init__(self, hungry: Callable[[], None]) -> None:
        """`hungry` is called when a worker waits, or less than half of what was claimed ahead is left."""
        self._hungry = hungry
        self._ahead: deque[Claimed] = deque()
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._low = 0

    def take(self, worker: str) -> Claimed | None:
        """The next job; waits for one. None once the hand is closed."""
        if self._closed:
            return None
        try:
            job = self._ahead.popleft()
        except IndexError:
            return self._wait(worker)
        if len(self._ahead) == self._low:
            self._hungry()
        return job

    def pick(self, type_: str) -> Claimed | None:
        """The first that lies ready, for a worker that still has a job of this type; None if it is not like that."""
        if self._closed or len(self._ahead) <= KEPT:
            return None
        try:
            job = self._ahead.popleft()
        except IndexError:
            return None
        if job.type != type_ or not job.is_plain:
            self.put_back([job])
            return None
        if len(self._ahead) == self._low:
            self._hungry()
        return job

    def put_back(self, jobs: Sequence[Claimed]) -> None:
        """Let others have what a worker took and did not begin, before the rest."""
        if jobs:
            with self._lock:
                self._ahead.extendleft(reversed(jobs))
                self._serve()
            if self._closed:
                self._hungry()  # whoever clears it may have looked already

    def _wait(self, worker: str) -> Claimed | None:
        place = _Waiting()
        with self._lock:
            if self._closed:
                return None
            try:
                return self._ahead.popleft()  # handed out since we looked
            except IndexError:
                self._waiting[worker] = place
        self._hungry()
        place.told.wait()
        return place.job

    def waiting(self) -> list[str]:
        """The workers that wait, longest first."""
        with self._lock:
            return list(self._waiting)

    def seqs(self) -> list[int]:
        """Of what lies ready; a worker may take one meanwhile."""
        return [job.seq for job in self._ahead.copy()]

    @property
    def ahead(self) -> int:
        """How many jobs lie ready."""
        return len(self._ahead)

    @property
    def is_well_filled(self) -> bool:
        """Whether more than half of what was claimed ahead is left."""
        return len(self._ahead) > self._low

    @property
    def oldest_since(self) -> float | None:
        """Since when the first of them lies there, as `give` was told; None if none does."""
        try:
            return self._ahead[0].since
        except IndexError:
            return None

    def give(self, jobs: Sequence[Claimed], now: float) -> list[Claimed]:
        """Hand out what was claimed: begun jobs to their workers, others to whoever is free. What nobody can take.

        Args:
            now: monotonic seconds.
        """
        left: list[Claimed] = []
        ahead: list[Claimed] = []
        with self._lock:
            for job in jobs:
                if self._closed or (job.begun and job.worker not in self._waiting):  # it was served meanwhile
                    left.append(job)
                elif not job.begun:
                    job.since = now
                    ahead.append(job)
                else:
                    self._hand_over(job.worker, job)
            self._low = (len(self._ahead) + len(ahead)) // 2
            self._ahead.extend(ahead)
            self._serve()
        return left

    def _serve(self) -> None:
        """Hand what lies ready to those who came to wait meanwhile."""
        for worker in list(self._waiting):
            try:
                self._hand_over(worker, self._ahead.popleft())
            except IndexError:  # a worker was faster
                break

    def _hand_over(self, worker: str, job: Claimed) -> None:
        place = self._waiting.pop(worker)
        place.job = job
        place.told.set()

    def clear(self) -> list[Claimed]:
        """Take back all that lies ready."""
        taken = []
        while self._ahead:
            try:
                taken.append(self._ahead.popleft())
            except IndexError:  # a worker was faster
                break
        return taken

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Nobody gets a job any more; those who wait are sent home."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, {}
        for place in waiting.values():
            place.told.set()
        self._hungry()
