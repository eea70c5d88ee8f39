"""Huey's seam: every method that Huey's BaseStorage names is answered, and a consumer runs on it."""

import inspect
import threading
from pathlib import Path

import pytest
from huey.constants import EmptyData
from huey.storage import BaseStorage

from jobdesk.core.job import Job, State
from jobdesk.ledger import moves, reads
from jobdesk.ledger.database import Ledger
from jobdesk.queue.consumer import EmbeddedConsumer
from jobdesk.queue.storage import LedgerStorage
from jobdesk.queue.wake import Wake
from tests.support.factory import submit


@pytest.fixture
def wake(tmp_path: Path) -> Wake:
    return Wake(tmp_path)


def storage(ledger: Ledger, wake: Wake) -> LedgerStorage:
    return LedgerStorage("test", ledger=ledger, wake=wake, consumer="con_test", queues=None)


def test_every_method_of_huey_is_answered() -> None:
    asked = {name for name, _ in inspect.getmembers(BaseStorage, inspect.isfunction) if not name.startswith("_")}
    not_implemented = {name for name in asked if "NotImplementedError" in inspect.getsource(getattr(BaseStorage, name))}
    own = set(vars(LedgerStorage))
    assert not_implemented - own == set()


def test_dequeue_is_the_claim(ledger: Ledger, wake: Wake) -> None:
    id_ = submit(ledger)
    job = storage(ledger, wake).dequeue()
    assert job is not None
    assert job.id == id_
    assert reads.job(ledger, id_).state is State.PROCESSING


def test_what_the_ledger_does_itself_is_empty_or_refused(ledger: Ledger, wake: Wake) -> None:
    made = storage(ledger, wake)
    submit(ledger)
    assert made.queue_size() == 1
    assert (made.schedule_size(), made.read_schedule(None), made.peek_data("x")) == (0, [], EmptyData)
    for refused in (lambda: made.enqueue(b""), made.flush_queue, lambda: made.add_to_schedule(b"", None)):
        with pytest.raises(TypeError):
            refused()


def test_hueys_worker_threads_run_jobs_and_stop_cleanly(ledger: Ledger, wake: Wake) -> None:
    ledger.on_commit.append(wake.committed)
    seen: list[str] = []
    all_seen = threading.Event()

    def run(job: Job) -> None:
        with ledger.write() as tx:
            assert moves.complete(tx, job, threading.current_thread().name)
        seen.append(job.id)
        if len(seen) == 20:
            all_seen.set()

    consumer = EmbeddedConsumer(run, ledger=ledger, wake=wake, consumer="con_test", workers=3, queues=None)
    consumer.start()
    wanted = [submit(ledger) for _ in range(20)]
    assert all_seen.wait(10)
    assert consumer.join(5)
    assert sorted(seen) == sorted(wanted)
    assert set(reads.states(ledger, wanted).values()) == {State.COMPLETED}
