"""Many jobs in few statements: the same as one after the other, and every counter right."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobdesk.core.errors import Refused
from jobdesk.core.job import Job, State
from jobdesk.core.rate import Rate
from jobdesk.ledger import claiming, finishing, moves, queues, rates, reads, storing, upkeep
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger, Tx
from tests.support.clock import FakeClock
from tests.support.factory import claim, counts_agree, new_job, submit
from tests.support.home import until

WORKERS = [f"con_test/{number}" for number in range(1, 5)]


def take(
    ledger: Ledger, workers: Sequence[str] = (), ahead: int = 0, short: Sequence[str] = ("test",)
) -> list[Claimed]:
    with ledger.write() as tx:
        return claiming.claim_many(tx, workers, consumer="con_test", ahead=ahead, short=set(short))


def finish(ledger: Ledger, jobs: Sequence[Job], *, starts: bool = False) -> None:
    with ledger.write() as tx:
        finishing.complete_many(tx, [finishing.Completion(job, '"done"', tx.now, starts=starts) for job in jobs])


def begin(ledger: Ledger, taken: Sequence[Claimed], worker: str = "con_test/9") -> list[Job]:
    return [one.begin(worker, ledger.clock.now()) for one in taken]


def row(ledger: Ledger, id_: str) -> tuple[Any, ...]:
    """All of a job but that it counted for itself."""
    found = ledger.row("SELECT * FROM job WHERE id = ?", (id_,))
    assert found is not None
    names = [name for (_, name, *_) in ledger.rows("PRAGMA table_xinfo(job)")]
    return tuple(value for name, value in zip(names, found, strict=False) if name != "counted")


JOBS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["a", "b"]),
            "queue": st.sampled_from(["one", "two", "three"]),
            "priority": st.sampled_from([0, 50, 100]),
            "concurrency_key": st.sampled_from([None, None, None, "k"]),
            "flow": st.sampled_from([None, None, "flow_x"]),
        }
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(jobs=JOBS, workers=st.integers(1, 12), limit=st.sampled_from([None, 1, 3]), most=st.sampled_from([None, 2]))
def test_claiming_many_is_claiming_one_by_one(
    jobs: list[dict[str, Any]], workers: int, limit: int | None, most: int | None
) -> None:
    names = [f"con_test/{number}" for number in range(workers)]
    claimed = []
    for many in (True, False):
        with TemporaryDirectory() as folder:
            ledger = Ledger(Path(folder) / "ledger.db", FakeClock())
            queues.sync(ledger, {"one": queues.QueueSpec(concurrency=limit)})
            if most is not None:
                rates.sync(ledger, {("type", "b"): Rate(most, 60.0)})
            with ledger.write() as tx:
                for name in ("one", "two", "three"):
                    queues.ensure(tx, name)
                made = [new_job(tx.now, **job) for job in jobs]
                storing.submit(tx, made)
            places = {job.id: place for place, job in enumerate(made)}
            with ledger.write() as tx:
                if many:
                    found = [one.begin("w", 0.0) for one in claiming.claim_many(tx, names)]
                else:
                    found = [job for name in names if (job := claiming.claim(tx, name)) is not None]
            claimed.append([(places[job.id], job.worker, job.attempt, job.fence) for job in found])
            assert counts_agree(ledger)
            finish(ledger, [job for job in found if finishing.fits(job)])
            assert counts_agree(ledger)
            ledger.close()
    assert claimed[0] == claimed[1]


@settings(max_examples=40, deadline=None)
@given(jobs=JOBS)
def test_storing_many_is_storing_one_by_one(jobs: list[dict[str, Any]]) -> None:
    stored = []
    for many in (True, False):
        with TemporaryDirectory() as folder:
            ledger = Ledger(Path(folder) / "ledger.db", FakeClock())
            with ledger.write() as tx:
                for name in ("one", "two", "three"):
                    queues.ensure(tx, name)
                made = [new_job(tx.now, **job | {"id": f"job_{place:026}"}) for place, job in enumerate(jobs)]
                for part in [made] if many else [[job] for job in made]:
                    storing.submit(tx, part)
            stored.append([row(ledger, job.id) for job in made])
            events = ledger.rows("SELECT kind, job, queue, data FROM event ORDER BY id")
            stored[-1].append(tuple(sorted(events)))
            assert counts_agree(ledger)
            ledger.close()
    assert stored[0] == stored[1]


def test_a_completed_batch_reads_like_single_completions(ledger: Ledger) -> None:
    single, batched = submit(ledger), submit(ledger)
    with ledger.write() as tx:
        job = claiming.claim(tx, "con_test/1")
        assert job is not None
        moves.complete(tx, job, "done")
    finish(ledger, begin(ledger, take(ledger, ahead=1), "con_test/1"), starts=True)
    one, other = reads.job(ledger, single), reads.job(ledger, batched)
    assert (other.state, other.result, other.worker, other.attempt) == (State.COMPLETED, "done", "con_test/1", 1)
    told = [[(e.kind, dict(e.data)) for e in reads.events(ledger, job=id_)] for id_ in (single, batched)]
    assert told[0] == told[1]
    assert one.to_json().keys() == other.to_json().keys()
    attempts = ledger.rows("SELECT fence, number, outcome, worker FROM attempt")
    assert attempts[0] == attempts[1] == (1, 1, "completed", "con_test/1")


def test_jobs_go_ahead_only_while_they_are_short_and_new(ledger: Ledger) -> None:
    first = submit(ledger, priority=100)
    with ledger.write() as tx:
        job = claiming.claim(tx, "con_test/1")
        assert job is not None
        moves.release(tx, job, "stopped")
    ids = [submit(ledger) for _ in range(3)] + [submit(ledger, type="long"), submit(ledger)]
    taken = take(ledger, ["con_test/1"], ahead=10)
    assert [one.row[1] for one in taken] == [first, *ids[:3]], "one was claimed before, the next but three is long"
    assert [one.begun for one in taken] == [True, False, False, False]
    assert take(ledger, ahead=10) == []


def test_what_nobody_began_is_put_back_without_a_trace(ledger: Ledger) -> None:
    ids = [submit(ledger) for _ in range(3)]
    before = [row(ledger, id_) for id_ in ids]
    events = ledger.rows("SELECT * FROM event")
    taken = take(ledger, ahead=3)
    with ledger.write() as tx:
        claiming.put_back(tx, taken)
    assert [row(ledger, id_) for id_ in ids] == before
    assert ledger.rows("SELECT * FROM event") == events
    assert counts_agree(ledger)
    assert claim(ledger).id == ids[0]


def test_one_in_hand_can_be_cancelled(ledger: Ledger) -> None:
    wanted, unwanted = submit(ledger), submit(ledger)
    taken = take(ledger, ahead=2)
    with ledger.write() as tx:
        assert moves.cancel(tx, unwanted, "not needed") is State.PROCESSING
    with ledger.write() as tx:
        claiming.put_back(tx, taken)
    assert [reads.job(ledger, id_).state for id_ in (wanted, unwanted)] == [State.PENDING, State.CANCELLED]
    assert counts_agree(ledger)


@pytest.mark.parametrize("deaths", [1, 5])
def test_what_lay_in_hand_when_its_consumer_died_has_lost_no_attempt(ledger: Ledger, deaths: int) -> None:
    id_ = submit(ledger, max_attempts=1)
    take(ledger, ahead=1)
    with ledger.write() as tx:
        upkeep.rescue(tx, "con_test", "it died")
    for _ in range(deaths - 1):
        assert take(ledger, ahead=1) == [], "who was in hand once begins with its claim"
    job = reads.job(ledger, id_)
    assert (job.state, job.attempt) == (State.PENDING, 0)
    assert claim(ledger).attempt == 1
    assert counts_agree(ledger)


def test_a_completion_lets_go_on_what_waited_for_it(ledger: Ledger) -> None:
    parents = [submit(ledger) for _ in range(3)]
    child = submit(ledger, after=parents)
    taken = begin(ledger, take(ledger, WORKERS))
    finish(ledger, taken[:2])
    assert reads.job(ledger, child).state is State.BLOCKED
    finish(ledger, taken[2:])
    assert reads.job(ledger, child).state is State.PENDING
    assert counts_agree(ledger)


def test_a_late_end_is_not_among_the_held(ledger: Ledger) -> None:
    submit(ledger)
    late = begin(ledger, take(ledger, ["con_test/1"]))
    with ledger.write() as tx:
        upkeep.rescue(tx, "con_test", "it died")
    second = begin(ledger, take(ledger, ["con_other/1"]))
    with ledger.write() as tx:
        assert claiming.held(tx, late) == {}
        assert claiming.held(tx, second) == {second[0].seq: False}


def test_what_a_rate_limit_counts_is_not_taken_ahead(ledger: Ledger) -> None:
    rates.sync(ledger, {("type", "test"): Rate(5, 60.0)})
    for _ in range(5):
        submit(ledger)
    assert len(take(ledger, WORKERS[:2], ahead=5)) == 2, "its start counts from when it begins"


def call(ledger: Ledger, work: Callable[[Tx], object], said: dict[str, object], name: str) -> None:
    try:
        said[name] = ledger.together(work)
    except BaseException as error:
        said[name] = type(error).__name__


@pytest.mark.parametrize("error", [KeyboardInterrupt(), sqlite3.OperationalError("no such table: x"), Refused("no")])
def test_threads_share_a_commit_and_not_their_errors(ledger: Ledger, error: BaseException) -> None:
    said: dict[str, object] = {}

    def bad(tx: Tx) -> None:
        tx.run("INSERT INTO meta VALUES ('bad', '1')")
        raise error

    def good(tx: Tx) -> str:
        tx.run("INSERT INTO meta VALUES ('good', '1')")
        return "stored"

    with ledger.write():
        threads = [
            threading.Thread(target=call, args=(ledger, work, said, name))
            for name, work in (("bad", bad), ("good", good))
        ]
        for thread in threads:
            thread.start()
        until(lambda: len(ledger._shared) == 2)
    for thread in threads:
        thread.join(10)
    assert said == {"bad": type(error).__name__, "good": "stored"}
    assert ledger.rows("SELECT key FROM meta WHERE key IN ('bad', 'good')") == [("good",)]


def test_sharing_a_commit_from_inside_a_transaction_is_refused(ledger: Ledger) -> None:
    with ledger.write(), pytest.raises(RuntimeError, match="in a transaction already"):
        ledger.together(lambda tx: None)
