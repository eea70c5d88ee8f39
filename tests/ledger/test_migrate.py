"""A ledger of the first version is brought up to date with what lies in it."""

import sqlite3
from pathlib import Path

from jobdesk.ledger import claiming, identity, reads, tables
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock


def test_jobs_of_an_older_ledger_are_claimed_in_order(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "jobdesk.db"
    old = sqlite3.connect(path)
    old.executescript(tables.MIGRATIONS[0])
    old.execute(f"PRAGMA application_id = {identity.APPLICATION_ID}")
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO queue (name) VALUES ('default')")
    for number, priority in enumerate((50, 100, 25)):
        old.execute(
            "INSERT INTO job (id, type, queue, state, priority, max_attempts, created_at, run_at, ready_at, "
            "unique_key, timeout_s, retry, data) "
            "VALUES (?, 'test', 'default', 'pending', ?, 3, 1, 1, 1, ?, 60, '{}', '{}')",
            (f"job_{number}", priority, f"key {number}"),
        )
    old.commit()
    old.close()
    ledger = Ledger(path, clock)
    order = []
    while True:
        with ledger.write() as tx:
            job = claiming.claim(tx, "con_test/1")
        if job is None:
            break
        order.append(job.id)
    assert order == ["job_1", "job_0", "job_2"]
    assert reads.job(ledger, "job_0").unique == "key 0"
    ledger.close()


def test_the_version_is_that_of_the_last_migration() -> None:
    assert len(tables.MIGRATIONS) == identity.VERSION
