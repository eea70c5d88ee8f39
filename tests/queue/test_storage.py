"""Huey's seam: every method that Huey's BaseStorage names is answered, and a consumer runs on it."""

import inspect
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from huey.constants import EmptyData
from huey.storage import BaseStorage

from jobdesk.core.job import Job, State
from jobdesk.ledger import moves, reads
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.queue.consumer import EmbeddedConsumer
from jobdesk.queue.storage import LedgerStorage
from jobdesk.queue.wake import Wake
from jobdesk.queue.writer import Writer
from tests.support.factory import submit


@pytest.fixture
def wake(tmp_path: Path) -> Wake:
    return Wake(tmp_path)


@dataclass(frozen=True)
class Done:
    job: Job
    at: float


def writer_of(
    ledger: Ledger, wake: Wake, settled: Callable[[Sequence[Done]], None] = lambda ends: None
) -> Writer[Done]:
    def settle(tx: Tx, ends: Sequence[Done], unwritten: Collection[int]) -> None:
        for end in ends:
            assert moves.complete(tx, end.job, end.job.worker)

    return Writer(ledger, wake, "con_test", None, settle, settled)


@contextmanager
def storage(ledger: Ledger, wake: Wake) -> Iterator[LedgerStorage]:
    writer = writer_of(ledger, wake)
    writer.start()
    yield LedgerStorage("test", ledger=ledger, writer=writer, consumer="con_test")
    writer.stop()


def test_every_method_of_huey_is_answered() -> None:
    asked = {name for name, _ in inspect.getmembers(BaseStorage, inspect.isfunction) if not name.startswith("_")}
    not_implemented = {name for name in asked if "NotImplementedError" in inspect.getsource(getattr(BaseStorage, name))}
    own = set(vars(LedgerStorage))
    assert not_implemented - own == set()


def test_dequeue_is_the_claim(ledger: Ledger, wake: Wake) -> None:
    id_ = submit(ledger)
    with storage(ledger, wake) as made:
        job = made.dequeue()
        assert job is not None
        assert job.id == id_
        assert reads.job(ledger, id_).state is State.PROCESSING


def test_what_the_ledger_does_itself_is_empty_or_refused(ledger: Ledger, wake: Wake) -> None:
    submit(ledger)
    made = LedgerStorage("test", ledger=ledger, writer=writer_of(ledger, wake), consumer="con_test")
    assert made.queue_size() == 1
    assert (made.schedule_size(), made.read_schedule(None), made.peek_data("x")) == (0, [], EmptyData)
    refusals: list[Callable[[], object]] = [
        lambda: made.enqueue(b""), made.flush_queue, lambda: made.add_to_schedule(b"", None)
    ]  # fmt: skip
    for refused in refusals:
        with pytest.raises(TypeError):
            refused()


def test_hueys_worker_threads_run_jobs_and_stop_cleanly(ledger: Ledger, wake: Wake) -> None:
    ledger.on_commit.append(wake.committed)
    seen: list[str] = []
    all_seen = threading.Event()

    def settled(ends: Sequence[Done]) -> None:
        seen.extend(end.job.id for end in ends)
        if len(seen) == 200:
            all_seen.set()

    writer = writer_of(ledger, wake, settled)
    consumer = EmbeddedConsumer(
        lambda job: writer.end(Done(job, ledger.clock.now())), writer, ledger=ledger, consumer="con_test", workers=3
    )
    consumer.start()
    wanted = [submit(ledger) for _ in range(200)]
    assert all_seen.wait(10)
    assert consumer.join(5)
    consumer.close()
    assert sorted(seen) == sorted(wanted)
    assert set(reads.states(ledger, wanted).values()) == {State.COMPLETED}
    assert {reads.job(ledger, id_).result for id_ in wanted} <= {f"con_test/{number}" for number in (1, 2, 3)}
