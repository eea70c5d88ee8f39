"""Ids are unique, sort by creation, and survive a clock that steps back."""

import threading

from jobdesk.core.ids import Ids


def test_ids_rise_within_a_millisecond_and_when_the_clock_steps_back() -> None:
    ids = Ids()
    made = [ids.new("job", now) for now in (1e9, 1e9, 1e9, 1e9 + 1, 1e9 - 3600, 1e9)]
    assert made == sorted(set(made))
    assert all(len(one) == 30 and one.startswith("job_") for one in made)


def test_no_ids_at_once_let_later_ones_rise_all_the_same() -> None:
    ids = Ids()
    last = ids.new("job", 1e9)
    assert ids.several("job", 1e9, 0) == []
    assert ids.new("job", 1e9 - 10) > last


def test_threads_never_make_the_same_id() -> None:
    ids, made = Ids(), list[str]()
    threads = [threading.Thread(target=lambda: made.extend(ids.new("job", 1e9) for _ in range(500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_ids_made_at_once_rise_and_can_be_told_apart_from_both_ends() -> None:
    ids = Ids()
    before, made, after = ids.new("job", 1e9), ids.several("job", 1e9, 1000), ids.new("job", 1e9)
    assert [before, *made, after] == sorted({before, *made, after})
    assert len({one[:19] for one in made}) == len({one[-8:] for one in made}) == 1000
    assert ids.several("job", 1e9, 0) == []


def test_ids_of_later_milliseconds_sort_later_across_processes() -> None:
    assert Ids().new("job", 1_800_000_000.001) < Ids().new("job", 1_800_000_000.002)


def test_short_ids_differ_after_the_clock_was_set_back() -> None:
    ids = Ids()
    ids.new("job", 2_000_000_000.0)
    made = [ids.short("con", 1_900_000_000.0) for _ in range(100)]
    assert len(set(made)) == 100 and made == sorted(made) and {len(one) for one in made} == {18}
