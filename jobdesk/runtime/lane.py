"""The jobs of one worker thread that were sent to its child ahead: they begin without a change of processes.

Only as many as should take a moment, and only those that lie ready for any worker and are like the one that runs: what
is sent ahead waits for that one alone. Should it last after all, they are taken back, for whoever is free. None of them
has begun before the end of the one before it was said.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from jobdesk.ledger.claiming import Claimed
from jobdesk.runtime.isolation import ChildProcess
from jobdesk.runtime.messages import Spec

LASTS_S = 0.02
"""A job that takes longer keeps nothing waiting behind it; if all are like the last, the last sent ahead waits less."""
MOST = 16
"""So many are sent ahead."""


class Ready(Protocol):
    """The jobs that lie ready for any worker: the queue's hand."""

    def pick(self, type_: str) -> Claimed | None:
        """The first of them, if it is of this type and its data are all there."""

    def put_back(self, jobs: Sequence[Claimed]) -> None:
        """Let others have them."""


class Lane:
    """Belongs to one worker thread."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._ahead: deque[tuple[Claimed, Spec]] = deque()
        self._room = 0

    @property
    def is_empty(self) -> bool:
        return not self._ahead

    @property
    def has_room(self) -> bool:
        return len(self._ahead) < self._room

    def learn(self, took_s: float) -> None:
        """The last job took so long."""
        self._room = MOST if took_s * MOST <= LASTS_S else int(LASTS_S / took_s)

    def fill(self, child: ChildProcess, type_: str, prepare: Callable[[Claimed], Spec]) -> None:
        """Send some jobs of a type ahead, after the one that the child has, which none of them may spoil."""
        while self.has_room and (claimed := self._ready.pick(type_)) is not None:
            try:
                spec = prepare(claimed)
                sent = child.jobs.give_ahead(spec)
            except Exception:  # it says so itself, when somebody begins it
                sent = False
            if not sent:
                self._ready.put_back([claimed])
                return
            self._ahead.append((claimed, spec))

    def call_back(self, child: ChildProcess) -> bool:
        """Put back what the child has not taken; False if it has begun one: what ran before that is over."""
        unbegun = set(child.jobs.take_back())
        back = [claimed for claimed, spec in self._ahead if spec["token"] in unbegun]
        self._ahead = deque(one for one in self._ahead if one[1]["token"] not in unbegun)
        self._ready.put_back(back)
        return not self._ahead or child.jobs.first_lies_there

    def next(self) -> tuple[Claimed, Spec] | None:
        """The next that was sent ahead, whether or not the child is the same still."""
        return self._ahead.popleft() if self._ahead else None

    def give_up(self) -> None:
        """Put back everything: there is no child any more that could begin it."""
        back, self._ahead = [claimed for claimed, _ in self._ahead], deque()
        self._ready.put_back(back)
