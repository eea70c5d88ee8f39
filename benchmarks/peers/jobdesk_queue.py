"""jobdesk itself, through its public API: as it comes, and with other settings for rows of its own."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.peers import Peer
from benchmarks.work import Payload
from jobdesk import Desk
from jobdesk.core.job import State
from jobdesk.core.submission import Submission

_PROCESSOR = """
from benchmarks import work
from jobdesk import Context, processor

@processor("nothing", isolation="thread")
def nothing(ctx: Context, n: int, at: float, sleep: float, pad: str) -> None:
    work.run({"n": n, "at": at, "sleep": sleep, "pad": pad})
"""
_IN_A_CHILD = """
from jobdesk import Context, processor

@processor("nothing")
def nothing(ctx: Context, n: int, at: float, sleep: float, pad: str) -> None:
    pass
"""


class Jobdesk(Peer):
    package = "jobdesk"
    family = "jobdesk"

    def __init__(self, key: str, title: str, settings: str = "", children: bool = False) -> None:
        self.key = key
        self.title = title
        self.counts = not children
        self.synchronous = "normal" if "normal" in settings else "full"
        self._settings = settings

    def open(self, folder: Path) -> None:
        self.desk = Desk(folder / "home")
        (self.desk.home.processors / "nothing.py").write_text(_PROCESSOR if self.counts else _IN_A_CHILD)
        if self._settings:
            (self.desk.home.path / "jobdesk.toml").write_text(self._settings)

    def close(self) -> None:
        self.desk.close()

    def submit(self, data: Payload) -> None:
        self.desk.submit("nothing", data)

    def submit_many(self, many: Sequence[Payload], queue: str | None = None) -> None:
        self.desk.submit_batch([Submission(type="nothing", data=data, queue=queue) for data in many])

    def consume(self, workers: int, ready: Callable[[], None]) -> None:
        self._before = self._completed()
        self._engine = self.desk.engine("consumer", workers=workers)
        self._engine.start()
        ready()

    def finished(self, ran: int) -> int:
        return self._completed() - self._before

    def stop(self) -> None:
        self._engine.stop(0.0)
        self.desk.close()

    def _completed(self) -> int:
        return sum(queue.counts[State.COMPLETED] for queue in self.desk.queues())


PEERS = [
    Jobdesk("jobdesk", "**jobdesk**"),
    Jobdesk("jobdesk-normal", 'jobdesk, synchronous = "normal"', '[desk]\nsynchronous = "normal"\n'),
    Jobdesk("jobdesk-full", 'jobdesk, synchronous = "full"', '[desk]\nsynchronous = "full"\n'),
    Jobdesk("jobdesk-process", "jobdesk, jobs in child processes", children=True),
]
