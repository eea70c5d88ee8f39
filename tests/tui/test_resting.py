"""What rests is drawn seldom; what moves, or somebody who acts, ends the rest."""

from dataclasses import replace

from jobdesk.tui.activity import Rates
from jobdesk.tui.messages import Snapshot
from jobdesk.tui.overview_rows import Glance
from jobdesk.tui.resting import AFTER_S, EVERY, Rest
from tests.support.clock import FakeClock


def test_it_rests_when_nothing_has_moved_for_some_time(clock: FakeClock) -> None:
    rest = Rest(clock)
    assert not rest.now
    clock.advance(AFTER_S)
    assert rest.now
    rest.moved()
    assert not rest.now


def test_minutes_that_go_by_are_no_movement_but_jobs_are(clock: FakeClock) -> None:
    rest, snapshot = Rest(clock), Snapshot()
    snapshot = replace(snapshot, lenses={"overview": Glance()})
    assert rest.saw(snapshot)
    clock.advance(AFTER_S)
    assert not rest.saw(replace(snapshot, rates=Rates(minutes=((1, 0),))))
    assert not rest.saw(replace(snapshot, lenses={"overview": Glance(lately={"email": (1,)})}))
    assert rest.now
    assert rest.saw(replace(snapshot, alerts=(1, False)))
    assert not rest.now


def test_a_running_job_is_no_rest(clock: FakeClock) -> None:
    rest = Rest(clock)
    rest.saw(Snapshot(busy=1))
    clock.advance(AFTER_S)
    assert not rest.now
    rest.saw(Snapshot())
    clock.advance(AFTER_S)
    assert rest.now


def test_at_rest_one_tick_of_some_draws(clock: FakeClock) -> None:
    rest = Rest(clock)
    assert all(rest.tick() for _ in range(EVERY))
    clock.advance(AFTER_S)
    drawn = [rest.tick() for _ in range(2 * EVERY)]
    assert drawn[0], "it says since when it stands still"
    assert sum(drawn) == 2
    rest.moved()
    assert rest.tick()
