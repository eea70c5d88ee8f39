"""The writer and what lies in hand: no job waits behind one that lasts, no end is lost that cannot be written yet."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobdesk.core.errors import LedgerError
from jobdesk.core.job import Job, State
from jobdesk.ledger import finishing, moves, reads
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.queue.consumer import EmbeddedConsumer
from jobdesk.queue.wake import Wake
from jobdesk.queue.writer import Writer
from tests.support.factory import counts_agree, submit
from tests.support.home import until


@dataclass
class Done:
    job: Job
    at: float


class Settling:
    """Writes plain completions; fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0

    def __call__(self, tx: Tx, ends: Sequence[Done], unwritten: Collection[int]) -> None:
        finishing.complete_many(
            tx, [finishing.Completion(end.job, "null", end.at, starts=end.job.seq in unwritten) for end in ends]
        )
        if ends and self.failures:
            self.failures -= 1
            raise LedgerError("the disk is full")


@contextmanager
def working(
    ledger: Ledger, folder: Path, run: Callable[[Job], None], settle: Settling, workers: int = 1
) -> Iterator[EmbeddedConsumer]:
    wake = Wake(folder)
    ledger.on_commit.append(wake.committed)
    writer: Writer[Done] = Writer(ledger, wake, "con_test", None, settle, lambda ends: None)

    def work(job: Job) -> None:
        run(job)
        writer.end(Done(job, ledger.clock.now()))

    consumer = EmbeddedConsumer(work, writer, ledger=ledger, consumer="con_test", workers=workers)
    consumer.start()
    yield consumer
    consumer.join(10)
    consumer.close()


def states(ledger: Ledger, ids: Sequence[str]) -> set[State]:
    return set(reads.states(ledger, ids).values())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    from jobdesk.core.clock import SystemClock

    made = Ledger(tmp_path / "ledger.db", SystemClock())
    yield made
    made.close()


def test_nothing_waits_in_hand_behind_a_job_that_lasts(ledger: Ledger, tmp_path: Path) -> None:
    running, go_on = threading.Event(), threading.Event()

    def run(job: Job) -> None:
        if job.data.get("lasts"):
            running.set()
            go_on.wait(30)

    with working(ledger, tmp_path, run, Settling()):
        quick = [submit(ledger) for _ in range(100)]  # now its type is known to be short
        until(lambda: states(ledger, quick) == {State.COMPLETED})
        lasting = submit(ledger, data={"lasts": True})
        behind = [submit(ledger) for _ in range(50)]
        assert running.wait(10)
        until(lambda: states(ledger, behind) == {State.PENDING})
        assert reads.job(ledger, lasting).worker == "con_test/1", "its start is written while it lasts"
        assert {reads.job(ledger, id_).attempt for id_ in behind} == {0}
        go_on.set()
        until(lambda: states(ledger, [lasting, *behind]) == {State.COMPLETED})
    assert counts_agree(ledger)


def test_ends_that_cannot_be_written_are_written_later_and_once(ledger: Ledger, tmp_path: Path) -> None:
    settle, seen = Settling(), []
    settle.failures = 2
    ids = [submit(ledger) for _ in range(30)]
    with working(ledger, tmp_path, lambda job: seen.append(job.id), settle, workers=3):
        until(lambda: states(ledger, ids) == {State.COMPLETED})
    assert sorted(seen) == sorted(ids)
    assert ledger.rows("SELECT count(*) FROM attempt") == [(30,)]
    kinds = ledger.rows("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind")
    assert kinds == [("job_completed", 30), ("job_created", 30), ("job_started", 30)]


def test_a_stop_puts_back_what_nobody_began(ledger: Ledger, tmp_path: Path) -> None:
    running, go_on = threading.Event(), threading.Event()

    def run(job: Job) -> None:
        if job.data.get("lasts"):
            running.set()
            go_on.wait(30)

    with working(ledger, tmp_path, run, Settling()) as consumer:
        quick = [submit(ledger) for _ in range(100)]
        until(lambda: states(ledger, quick) == {State.COMPLETED})
        submit(ledger, data={"lasts": True})
        behind = [submit(ledger) for _ in range(50)]
        assert running.wait(10)
        consumer.shut()
        go_on.set()
    assert State.PROCESSING not in states(ledger, behind)
    assert {reads.job(ledger, id_).attempt for id_ in behind} <= {0, 1}
    assert counts_agree(ledger)


def test_a_worker_sent_home_does_not_come_back(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with working(ledger, tmp_path, lambda job: None, Settling(), workers=16) as consumer:
        until(lambda: len(consumer._writer.hand.waiting()) == 16)
        take = consumer._writer.hand.take

        def asking(worker: str) -> Claimed | None:
            asked.append(worker)
            return take(worker)

        monkeypatch.setattr(consumer._writer.hand, "take", asking)
        consumer.shut()
    assert len(asked) <= 16


def test_cancelling_or_pausing_takes_out_of_hand(ledger: Ledger, tmp_path: Path) -> None:
    running, go_on = threading.Event(), threading.Event()

    def run(job: Job) -> None:
        if job.data.get("lasts"):
            running.set()
            go_on.wait(30)

    with working(ledger, tmp_path, run, Settling()):
        quick = [submit(ledger) for _ in range(100)]
        until(lambda: states(ledger, quick) == {State.COMPLETED})
        submit(ledger, data={"lasts": True})
        behind = [submit(ledger) for _ in range(50)]
        assert running.wait(10)
        with ledger.write() as tx:
            moves.cancel(tx, behind[-1], "not wanted")
        until(lambda: states(ledger, [behind[-1]]) == {State.CANCELLED})
        go_on.set()
        until(lambda: states(ledger, behind[:-1]) == {State.COMPLETED})
