"""max_size and unique keys with a window and states."""

import pytest

from jobdesk.core.errors import QueueFull
from jobdesk.core.job import JobError, State
from jobdesk.ledger import aging, moves, queues, room, storing
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock
from tests.support.factory import claim, new_job, submit


def test_a_full_queue_refuses_in_one_sentence_that_names_the_mend(ledger: Ledger) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(max_size=2)})
    for _ in range(2):
        submit(ledger, queue="mail")
    with pytest.raises(QueueFull, match=r"^queue mail is full: 2 jobs wait and its max_size is 2, .*raise max_size"):
        submit(ledger, queue="mail")
    submit(ledger, queue="other")
    assert room.free(ledger, "mail") == 0 and room.free(ledger, "other") is None
    claim(ledger)
    submit(ledger, queue="mail")


def test_a_batch_without_room_for_all_stores_none(ledger: Ledger) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(max_size=2)})
    with pytest.raises(QueueFull, match="no room for 3 more"), ledger.write() as tx:
        storing.submit(tx, [new_job(tx.now, queue="mail") for _ in range(3)])
    assert ledger.row("SELECT count(*) FROM job") == (0,)
    assert room.never(ledger, "mail", 3) and not room.never(ledger, "mail", 2)


def test_children_and_repeats_need_no_room(ledger: Ledger) -> None:
    queues.sync(ledger, {"mail": queues.QueueSpec(max_size=1)})
    first = submit(ledger, queue="mail", unique="k")
    assert submit(ledger, queue="mail", unique="k") == first
    submit(ledger, queue="mail", parent=first)


def test_with_a_window_an_ended_job_still_has_its_key(ledger: Ledger, clock: FakeClock) -> None:
    first = submit(ledger, unique="k")
    job = claim(ledger)
    with ledger.write() as tx:
        moves.complete(tx, job, None)
    clock.advance(599)
    assert submit(ledger, unique="k", unique_for_s=600.0) == first
    clock.advance(2)
    assert submit(ledger, unique="k", unique_for_s=600.0) != first


def test_states_say_which_jobs_have_the_key(ledger: Ledger) -> None:
    waiting = (State.PENDING, State.SCHEDULED)
    first = submit(ledger, unique="k", unique_states=waiting)
    assert submit(ledger, unique="k", unique_states=waiting) == first
    job = claim(ledger)
    second = submit(ledger, unique="k", unique_states=waiting)
    assert second != first, "one that runs does not count"
    assert submit(ledger, unique="k") in (first, second), "to others it does"
    with ledger.write() as tx:
        moves.fail(tx, job, JobError("E", "no"), None)
        moves.cancel(tx, second, "no")
    assert submit(ledger, unique="k", unique_states=(State.FAILED,)) == first
    assert submit(ledger, unique="k", unique_states=(State.COMPLETED,)) not in (first, second)


def test_with_ageing_low_is_reached_in_the_end(ledger: Ledger, clock: FakeClock) -> None:
    aging.sync(ledger, 600.0)
    low = submit(ledger, priority=25)
    order = []
    for _ in range(8):
        submit(ledger, priority=75)
        order.append(claim(ledger).id)
        clock.advance(200)
    assert order.index(low) == 6, "two steps of 25 in 600 s each"


def test_without_ageing_priority_is_strict(ledger: Ledger, clock: FakeClock) -> None:
    low = submit(ledger, priority=25)
    clock.advance(1e6)
    high = submit(ledger, priority=26)
    assert [claim(ledger).id, claim(ledger).id] == [high, low]


def test_ageing_switched_on_or_off_keeps_the_order_of_what_waits(ledger: Ledger) -> None:
    low, high = submit(ledger, priority=25), submit(ledger, priority=75)
    aging.sync(ledger, 600.0)
    newest = submit(ledger, priority=75)
    assert claim(ledger).id == high
    aging.sync(ledger, None)
    urgent = submit(ledger, priority=100)
    assert [claim(ledger).id for _ in range(3)] == [urgent, newest, low]
