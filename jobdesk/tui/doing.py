"""Doing what actions ask, on a thread of its own, in batches, so that 12,000 jobs hold nothing up."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from textual.message import Message

from jobdesk.core.errors import JobdeskError
from jobdesk.desk import Desk
from jobdesk.tui.format import count_of
from jobdesk.tui.messages import Acted
from jobdesk.tui.selection import Selection

_BATCH = 200
_DONE = {
    "retry": "Retried",
    "cancel": "Cancelled",
    "delete": "Deleted",
    "run_now": "Made ready",
    "hold": "Held",
    "release": "Released",
}


class Doer:
    """Runs actions one after another and posts how each ended."""

    def __init__(self, desk: Desk, post: Callable[[Message], object]) -> None:
        self._desk = desk
        self._post = post
        self._thread = ThreadPoolExecutor(1, "jobdesk-doer")
        self._closing = threading.Event()

    def close(self) -> None:
        """Begin nothing more; what is being done goes on to its end."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def do(self, work: Callable[[], str]) -> None:
        """Run `work`; its sentence, or that of its error, becomes a toast."""

        def guarded() -> None:
            try:
                self._post(Acted(work()))
            except JobdeskError as error:
                self._post(Acted(str(error), failed=True))

        self._thread.submit(guarded)

    def each(self, verb: str, selection: Selection) -> None:
        """Retry, cancel or delete everything that is selected."""
        self._thread.submit(self._each, verb, selection)

    def slowly(self, verb: str, selection: Selection, apart_s: float) -> None:
        """The same with a pause of so many seconds after each job, beside everything else; it ends with the app."""
        threading.Thread(target=self._each, args=(verb, selection, apart_s), name="jobdesk-slowly", daemon=True).start()

    def _each(self, verb: str, selection: Selection, apart_s: float = 0.0) -> None:
        refused: Counter[str] = Counter()
        done = 0
        deed = self._desk.deed(verb, query=selection.query)
        try:
            for batch in self._batches(selection, 1 if apart_s else _BATCH):
                if apart_s and done + refused.total():
                    self._desk.clock.wait(self._closing, apart_s)
                if self._closing.is_set():
                    break
                answers = self._desk.each(verb, batch, deed)
                done += sum(why is None for why in answers.values())
                refused.update(why for why in answers.values() if why is not None)
        except JobdeskError as error:
            refused[str(error)] += 1
        self._post(_outcome(verb, selection, done, refused))

    def _batches(self, selection: Selection, size: int) -> Iterator[Sequence[str]]:
        if selection.query is None:
            found = [job.id for job in selection.jobs]
        else:
            from jobdesk.core.query import parse
            from jobdesk.ledger import search

            found = search.ids(self._desk.ledger, parse(selection.query))
        for at in range(0, len(found), size):
            yield found[at : at + size]


def _outcome(verb: str, selection: Selection, done: int, refused: Counter[str]) -> Acted:
    job, total = selection.one, done + refused.total()
    if job is not None:
        if refused:
            return Acted(next(iter(refused)), failed=True)
        stops = verb == "cancel" and job.state == "processing"
        return Acted(f"{'Asked to stop' if stops else _DONE[verb]}: {selection.words}", undoable=not stops)
    if not refused:
        return Acted(f"{_DONE[verb]} {count_of(done, 'job')}", undoable=done > 0)
    why, _ = refused.most_common(1)[0]
    return Acted(f"{_DONE[verb]} {done:,} of {total:,} jobs; refused: {why}", failed=not done, undoable=done > 0)
