"""The one thread that reads the ledger for the screen.

It looks at SQLite's `data_version` at most four times a second (ten while somebody acts, once when nothing has changed
for some time or while the terminal has no focus), which costs microseconds, and reads only when that changed. New work
is seen at once at such times too: its bell rings.
Screens say through lenses what they show; everything comes back as one frozen snapshot. Questions (`ask`) go first.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from textual.message import Message

from jobdesk.core.errors import JobdeskError
from jobdesk.core.job import State
from jobdesk.desk import Desk
from jobdesk.ledger import alerts, reads, speaking
from jobdesk.tui.activity import Activity, Rates
from jobdesk.tui.messages import Answered, Snapshot, SnapshotRead, Trouble, Worker
from jobdesk.tui.resting import without_minutes

T = TypeVar("T")
RESTING_S, ACTING_S, AWAY_S = 0.25, 0.1, 1.0
STILL_S = 1.0
_ACTING_LOOKS = 20
_LOOKS_EACH_S = 1.0
_STILL_AFTER_S, _RATES_STILL_S = 15.0, 5.0
"""When nothing has changed for so long, rates and workers are read only so often, and looks are `STILL_S` apart."""


def _nobody() -> bool:
    """Nobody waits for a look: it can be repeated."""
    return False


class Feed:
    """Reads for the screen, on a thread of its own, and posts what it read."""

    def __init__(self, desk: Desk, post: Callable[[Message], object]) -> None:
        self.desk = desk
        self._post = post
        self._lock = threading.Condition()
        self._questions: deque[tuple[Callable[[], None], Callable[[], bool]]] = deque()
        self._wanted: Callable[[], bool] | None = None
        """Whether somebody waits for what is read now; None: nothing is."""
        self._given_up = False
        self._interrupt: Callable[[], None] = lambda: None
        self._lenses: dict[str, Callable[[], Any]] = {}
        self._fresh_lenses = False
        self._poked = False
        self._stopped = False
        self._away = False
        self._acting = 0
        self._thread: threading.Thread | None = None
        self._activity = Activity(desk.ledger)
        self._version = -1
        self._since_look_s = _LOOKS_EACH_S
        self._since_rates_s = 0.0
        self._still_s = 0.0
        self._last: Snapshot | None = None
        self._rates = Rates()

    def start(self) -> None:
        """Begin; what it reads first is posted soon."""
        self.desk.wake.listen()
        self.desk.wake.bells.append(self._rung)
        self._thread = threading.Thread(target=self._loop, name="jobdesk-feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the read it is at."""
        if self._rung in self.desk.wake.bells:
            self.desk.wake.bells.remove(self._rung)
        with self._lock:
            self._stopped = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join(5)

    def ask(
        self, read: Callable[[], T], deliver: Callable[[T], None], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Run `read` on the thread, then `deliver` its answer on the screen's.

        Args:
            wanted: False when nobody waits for it any more; see `hurry`.
        """

        def question() -> None:
            answer = read()
            self._post(Answered(deliver, answer))

        with self._lock:
            self._questions.append((question, wanted))
            self._lock.notify()

    def hurry(self) -> None:
        """Something else is to be read now: give up a read that nobody waits for any more, and put off a look."""
        with self._lock:
            if self._wanted is not None and not self._wanted():
                self._given_up = True
                self._interrupt()

    def lens(self, name: str, read: Callable[[], Any] | None) -> None:
        """Read this too at each change, for `snapshot.lenses[name]`; None: no more."""
        with self._lock:
            if read is None:
                self._lenses.pop(name, None)
                return
            self._lenses[name] = read
            self._fresh_lenses = True
            self._lock.notify()

    def poke(self) -> None:
        """Look now."""
        with self._lock:
            self._poked = True
            self._lock.notify()

    def _rung(self) -> None:
        """There is new work: a screen at rest looks before it is time."""
        if self._still_s >= _STILL_AFTER_S:
            with self._lock:
                self._lock.notify()

    def acting(self) -> None:
        """Somebody presses keys: look more often for two seconds."""
        self._acting = _ACTING_LOOKS

    def away(self, away: bool) -> None:
        """The terminal lost or got the focus."""
        self._away = away

    def _loop(self) -> None:
        self._interrupt = self.desk.ledger.interrupter()
        while True:
            with self._lock:
                pace = self._pace
                if not (self._questions or self._poked or self._fresh_lenses or self._stopped):
                    self._lock.wait(pace)
                    self._since_look_s += pace
                self._acting = max(0, self._acting - 1)
                if self._stopped:
                    break
                question, self._wanted = self._questions.popleft() if self._questions else (None, _nobody)
                anyway = question is None and (self._poked or self._fresh_lenses)
                if anyway:
                    self._poked = self._fresh_lenses = False
            try:
                if question is not None:
                    question()
                else:
                    self._look(anyway)
            except JobdeskError as error:
                if not self._given_up:
                    self._post(Trouble(str(error), once="feed"))
                elif question is None:
                    self._poked = True
            except Exception as error:  # a screen that stands still without a word would be worse
                self._post(Trouble(f"the screen could not be read: {type(error).__name__}: {error}", once="feed"))
            with self._lock:
                self._wanted, self._given_up = None, False
        self.desk.ledger.close()

    @property
    def _pace(self) -> float:
        """Seconds from one look to the next."""
        if self._away:
            return AWAY_S
        if self._acting:
            return ACTING_S
        return STILL_S if self._still_s >= _STILL_AFTER_S else RESTING_S

    def _look(self, anyway: bool) -> None:
        version = self.desk.ledger.version()
        changed = version != self._version
        each_s = self._since_look_s >= _LOOKS_EACH_S
        if each_s:
            self._still_s += self._since_look_s
            self._since_rates_s += self._since_look_s
            self._since_look_s = 0.0
        still = self._still_s >= _STILL_AFTER_S
        due = each_s and (not still or self._since_rates_s >= _RATES_STILL_S)
        self._version = version
        if not (changed or anyway or due):
            return
        if changed or due:
            self._since_rates_s = 0.0
        found = self.read(full=changed or anyway, rates=changed or due, workers=due or still or self._last is None)
        if found != self._last:
            if self._last is None or without_minutes(found) != without_minutes(self._last):
                self._still_s = 0.0
            self._last = found
            self._post(SnapshotRead(found))

    def read(self, *, full: bool = True, rates: bool = True, workers: bool = True) -> Snapshot:
        """The desk as it is now; what is not asked for is as it was at the last look."""
        last = self._last or Snapshot()
        ledger = self.desk.ledger
        queues = tuple(reads.queues(ledger)) if full else last.queues
        if rates:
            self._rates = self._activity.read(self.desk.clock.now())
        with self._lock:
            lenses = dict(self._lenses)
        return Snapshot(
            workers=tuple(Worker(one.id, one.kind, one.pid, one.workers) for one in self.desk.consumers())
            if workers
            else last.workers,
            queues=queues,
            busy=sum(queue.counts[State.PROCESSING] for queue in queues),
            rates=self._rates,
            alerts=alerts.worst(ledger, self.desk.clock.now()) if full else last.alerts,
            paused=speaking.all_paused(ledger) if full else last.paused,
            lenses={name: read() for name, read in lenses.items()} if full else last.lenses,
        )
