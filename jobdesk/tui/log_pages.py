"""A job's log of any length, read a page at a time. `LogReader` lives on the database thread.

It keeps the id of every 256th line, so that any line is found at once: 1,000,000 lines are 31 kB. The ids are taken in
by chunks, so that questions come between; until all are, the end of the log is there already.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.events import Event, Kind
from jobdesk.core.text import without_colours
from jobdesk.ledger import job_log, reads
from jobdesk.ledger.database import Ledger

PAGE = 256
TAIL = 200
"""Lines of the end that come with each look: more than a screen has."""
_GLANCE = 5
_CHUNK = 20_000
_SEARCHED = 5_000
_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class LogState:
    """How long a log is, and its end.

    `ready` False: lines before `tail` are not counted yet. Another `shape`: lines were left out meanwhile, so others
    have their numbers.
    """

    total: int = 0
    ready: bool = False
    shape: int = 0
    tail: tuple[Event, ...] = ()


NO_LOG = LogState()


@dataclass(frozen=True, slots=True)
class Found:
    """What a stretch of a log holds: ids of the lines that match, and up to which it goes; `more`: lines follow."""

    ids: Sequence[int]
    upto: int
    more: bool


class LogReader:
    """Reads the log of one job."""

    def __init__(self, ledger: Ledger, job_id: str) -> None:
        self._ledger = ledger
        self._job = job_id
        self.wanted = False
        """Somebody looks at the log itself: before that its last lines are all that is read."""
        self._index = _Index()
        self._next: _Index | None = None
        """A new index in the making, since lines were left out."""
        self._ready = False
        self._shape = 0
        self._tail: tuple[Event, ...] = ()
        self._tail_of = (-1, False)

    def look(self) -> LogState:
        """Take in what is new."""
        if self.wanted:
            self._grow()
        newest = job_log.newest(self._ledger, self._job)
        if (newest, self.wanted) != self._tail_of:
            self._tail_of = (newest, self.wanted)
            self._tail = tuple(self._last(TAIL if self.wanted else _GLANCE))
        if not self._ready:
            return LogState(len(self._tail), False, 0, self._tail)
        tail = tuple(event for event in self._tail if event.id <= self._index.last)
        return LogState(self._index.total, True, self._shape, tail[-self._index.total :])

    @property
    def counted(self) -> int:
        """While a log that somebody looks at is counted, up to which line that is; 0: all of them are."""
        return self._index.last if self.wanted and not self._ready else self._next.last if self._next else 0

    def _last(self, limit: int) -> list[Event]:
        return reads.last_events(self._ledger, job=self._job, kinds=[Kind.JOB_LOG], limit=limit)

    def _grow(self) -> None:
        index = self._next or self._index
        before = index.total
        whole = index.grow(job_log.ids(self._ledger, self._job, after=index.last, limit=_CHUNK))
        if self._next is not None and whole:
            self._index, self._next = self._next, None
            self._shape += 1
        elif self._next is None and whole:
            self._ready = True
            if index.total > before and self._thinner(index):
                self._next = _Index()

    def _thinner(self, index: "_Index") -> bool:
        """Whether lines that it knows are gone. Looked for after a sixteenth more came: a long log is not read again
        for each line that a job at its limit writes."""
        if index.total < index.checked + max(PAGE, index.total // 16):
            return False
        index.checked = index.total
        step = max(1, len(index.anchors) // _SAMPLES)
        some = index.anchors[::step].tolist()
        return job_log.there(self._ledger, some) < len(some)

    def page(self, number: int) -> list[Event]:
        """The lines of page `number`, counted from 0."""
        anchors = self._index.anchors
        if number >= len(anchors):
            return []
        found = reads.events(self._ledger, after=anchors[number] - 1, job=self._job, kinds=[Kind.JOB_LOG], limit=PAGE)
        end = anchors[number + 1] if number + 1 < len(anchors) else self._index.last + 1
        return [event for event in found if event.id < end]

    def number_of(self, id_: int) -> int:
        """The number of the line with this id, counted from 0; of one that is gone that of the next."""
        anchors = self._index.anchors
        page = max(0, bisect_right(anchors, id_) - 1)
        if not anchors:
            return 0
        return min(self._index.total - 1, page * PAGE + job_log.between(self._ledger, self._job, anchors[page], id_))

    def search(self, wanted: re.Pattern[str], after: int) -> Found:
        """Lines with this in them, in the next stretch behind one."""
        lines = job_log.messages(self._ledger, self._job, after=after, limit=_SEARCHED)
        matching = [id_ for id_, message in lines if wanted.search(without_colours(message))]
        return Found(matching, lines[-1][0] if lines else after, len(lines) == _SEARCHED)


class _Index:
    """Which line has which id, for every 256th."""

    def __init__(self) -> None:
        self.anchors = array("q")
        self.total = 0
        self.last = 0
        self.checked = 0

    def grow(self, ids: Sequence[int]) -> bool:
        """Take in more lines; whether these were the last."""
        self.anchors.extend(ids[-self.total % PAGE :: PAGE])
        self.total += len(ids)
        self.last = ids[-1] if ids else self.last
        return len(ids) < _CHUNK
