"""Schedules with real consumers in processes of their own: each time makes its job once, at once, and after kill -9."""

import signal
from pathlib import Path

from jobdesk import Desk
from jobdesk.core.events import Kind
from jobdesk.core.schedule import Missed, Origin, ScheduleSpec
from jobdesk.ledger import reads
from jobdesk.ledger import schedules as table
from tests.support.home import consumer, kill, make_home, until

PROCESSORS = '''
from jobdesk import Context, processor

@processor("tick", isolation="thread")
def tick(ctx: Context, n: int = 1) -> int:
    """Ticks."""
    return n
'''


def missed_all(desk: Desk, name: str, minutes: int) -> None:
    """A schedule of every minute that nobody has looked at for so long."""
    with desk.ledger.write() as tx:
        since = tx.now // 60 * 60 - minutes * 60
        spec = ScheduleSpec(name=name, type="tick", cron="* * * * *", missed=Missed.ALL)
        table.define(tx, spec, Origin.ADDED, None, since, since + 60)


def count(desk: Desk, sql: str) -> int:
    row = desk.ledger.row(sql)
    assert row is not None
    return int(row[0])


def test_consumers_that_race_make_each_job_once_and_never_early(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    working = [consumer(home) for _ in range(3)]
    until(lambda: len(desk.consumers()) == len(working))
    with desk.ledger.write() as tx:
        at = tx.now + 1.0
        for n in range(20):
            spec = ScheduleSpec(name=f"once-{n}", type="tick", at=at, missed=Missed.ALL)
            table.define(tx, spec, Origin.ADDED, None, tx.now, at)
    for n in range(5):
        missed_all(desk, f"late-{n}", 50)
    until(lambda: count(desk, "SELECT count(DISTINCT schedule) FROM job WHERE finished_at IS NOT NULL") == 25)
    until(lambda: count(desk, "SELECT count(*) FROM job WHERE finished_at IS NULL") == 0)
    for process in working:
        kill(process, signal.SIGTERM)
    assert count(desk, "SELECT count(*) FROM job WHERE schedule LIKE 'once-%'") == 20
    times = count(desk, "SELECT count(*) FROM schedule_run WHERE schedule LIKE 'late-%'")
    assert times == count(desk, "SELECT count(*) FROM job WHERE schedule LIKE 'late-%'") >= 250
    fired = reads.events(desk.ledger, kinds=[Kind.SCHEDULE_FIRED])
    assert len({event.job_id for event in fired}) == len(fired) == 20 + times
    assert all(event.at >= at for event in fired if str(event.data["schedule"]).startswith("once-"))
    desk.close()


def test_kill_9_while_it_catches_up_neither_loses_a_time_nor_makes_one_twice(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    for n in range(30):
        missed_all(desk, f"late-{n}", 50)
    for _ in range(3):
        seen = count(desk, "SELECT count(*) FROM schedule_run")
        victim = consumer(home)
        until(lambda seen: count(desk, "SELECT count(*) FROM schedule_run") > seen, seen)
        kill(victim)
    missed_before = count(desk, "SELECT count(DISTINCT schedule) FROM schedule_run")
    assert missed_before >= 1
    last = consumer(home, "--drain")
    assert last.wait(120) == 0
    for n in range(30):
        rows = desk.ledger.rows("SELECT fire_at FROM schedule_run WHERE schedule = ? ORDER BY 1", (f"late-{n}",))
        fire_at = [at for (at,) in rows]
        assert len(fire_at) >= 50
        assert fire_at == [fire_at[0] + 60 * k for k in range(len(fire_at))]
    assert count(desk, "SELECT count(*) FROM schedule_run") == count(desk, "SELECT count(*) FROM job")
    desk.close()


def test_a_drain_runs_what_was_missed_before_it_ends(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    desk = Desk(home)
    missed_all(desk, "late", 3)
    assert consumer(home, "--drain").wait(60) == 0
    assert count(desk, "SELECT count(*) FROM job WHERE state = 'completed'") >= 3
    desk.close()
