"""What is kept of a job's log: its beginning and its end, within a number of letters.

Lines travel from the job to the ledger in small batches. As soon as the log is longer than it may be, the first half
of the room stays as it is, and of what came after it the newest: a line in between says how many are missing.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.core.job import Job
from jobdesk.ledger import reports
from jobdesk.ledger.database import Tx

LINE_LETTERS = 60
"""What a line takes beside its message."""


@dataclass(slots=True)
class _Line:
    letters: int
    line: reports.LogLine | None = None
    id: int | None = None
    """Of its event, once it is written."""


class LogWindow:
    """The log of one attempt; what earlier attempts left is taken in when the first line is written.

    Args:
        room: letters, with `LINE_LETTERS` for each line.
    """

    def __init__(self, room: int = 1_000_000) -> None:
        self._room = room
        self._head_room = room // 2
        self._head: list[reports.LogLine] = []
        """Of the beginning, not written yet."""
        self._tail: deque[_Line] = deque()
        self._tail_letters = 0
        self._doomed: list[int] = []
        self._left_out = 0
        self._marker: int | None = None
        self._said = 0
        """How many lines the marker says were left out."""
        self._begun = False
        self._ids: Sequence[int] = ()
        self._new_tail: list[_Line] = []
        self._new_marker: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether there is something to write."""
        return bool(self._head or self._left_out != self._said or (self._tail and self._tail[-1].id is None))

    def take(self, line: reports.LogLine) -> None:
        """Add a line; what there is no room for any more goes."""
        letters = min(len(line[2]), reports.LINE_CHARACTERS) + LINE_LETTERS
        if not self._tail and not self._left_out and letters <= self._head_room:
            self._head_room -= letters
            self._head.append(line)
            return
        self._tail.append(_Line(letters, line))
        self._tail_letters += letters
        self._shorten()

    def _shorten(self) -> None:
        while self._tail_letters > self._room - self._room // 2 and len(self._tail) > 1:
            gone = self._tail.popleft()
            self._tail_letters -= gone.letters
            self._left_out += 1
            if gone.id is not None:
                self._doomed.append(gone.id)

    def write(self, tx: Tx, job: Job) -> None:
        """Write what is new; `written` once that is committed."""
        if not self.is_new:
            return
        if not self._begun and job.attempt > 1:
            self._take_in(reports.logged(tx, job))
        self._begun = True
        reports.log(tx, job, self._head)
        self._new_marker = self._marker
        if self._left_out:
            doomed = list(self._doomed)
            if self._new_marker is None and doomed:
                self._new_marker = doomed.pop(0)  # the line in its place tells of it and those behind it
            self._new_marker = reports.left_out(tx, job, self._new_marker, self._left_out)
            reports.unlog(tx, doomed)
        self._new_tail = [one for one in self._tail if one.id is None]
        self._ids = reports.log(tx, job, [one.line for one in self._new_tail if one.line is not None])

    def written(self) -> None:
        """What was written need not be written again."""
        for one, id_ in zip(self._new_tail, self._ids, strict=True):
            one.id, one.line = id_, None
        self._marker, self._said = self._new_marker, self._left_out
        self._head, self._doomed, self._new_tail, self._ids = [], [], [], ()

    def _take_in(self, before: Sequence[tuple[int, int, int]]) -> None:
        """The lines of earlier attempts count too: the newest of them are the first to go."""
        own_head, own_tail, own_left_out = self._head, self._tail, self._left_out
        self._head, self._tail, self._tail_letters, self._left_out = [], deque(), 0, 0
        self._head_room = self._room // 2
        for id_, letters, left_out in before:
            if left_out:
                self._marker, self._left_out = id_, left_out
            elif not self._tail and not self._left_out and letters <= self._head_room:
                self._head_room -= letters
            else:
                self._tail.append(_Line(letters, id=id_))
                self._tail_letters += letters
        for line in own_head:
            self.take(line)
        self._tail.extend(own_tail)
        self._tail_letters += sum(one.letters for one in own_tail)
        self._left_out += own_left_out
        self._shorten()
