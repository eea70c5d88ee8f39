"""The doctor finds what is wrong with a ledger and mends what is safe, while others write."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from jobdesk.core.clock import SystemClock
from jobdesk.core.query import parse
from jobdesk.ledger import claiming, indexing, mending, moves, search
from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock
from tests.support.doctoring import bad, living, look, mended
from tests.support.factory import claim, counts_agree, submit


def test_a_sound_home_has_no_findings(ledger: Ledger) -> None:
    submit(ledger, flow="flow_1")
    assert bad(look(ledger)) == set()


def test_wrong_counts_are_found_and_counted_again(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger, flow="flow_1")
    with ledger.write() as tx:
        tx.run("UPDATE tally SET n = 7")
        tx.run("DELETE FROM lane")
        tx.run("UPDATE flow SET open = 0, total = 9")
    assert look(ledger)["counts"].message == "2 counts wrong: queue default has 3 pending jobs, not 7"
    mended(ledger, "counts", "flows")
    assert ledger.row("SELECT total, open, failed FROM flow") == (3, 3, 0)
    assert ledger.row("SELECT ready FROM lane") == (3,)


def test_counts_come_right_while_others_submit_and_claim(ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(200):
        submit(ledger)
    with ledger.write() as tx:
        tx.run("UPDATE tally SET n = n + 1000")
        tx.run("UPDATE lane SET ready = ready + 500")
    over, ready = threading.Event(), threading.Event()

    def work() -> None:
        while not over.is_set():
            submit(ledger)
            with ledger.write() as tx:
                claiming.claim(tx, "con_1/1")
            ready.set()
        ledger.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)

    def mend() -> None:
        mending.counts(ledger)
        ledger.close()

    doctors = [threading.Thread(target=mend) for _ in range(3)]
    for one in doctors:
        one.start()
    for one in doctors:
        one.join(60)
    over.set()
    thread.join(60)
    assert counts_agree(ledger)


def test_minutes_that_count_too_few_ends_are_raised_and_others_left(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger)
        with ledger.write() as tx:
            job = claiming.claim(tx, "con_1/1")
            assert job is not None
            moves.complete(tx, job, None)
    with ledger.write() as tx:
        tx.run("UPDATE minute SET completed = 1, failed = 4")
    mended(ledger, "minutes")
    assert ledger.row("SELECT sum(completed), sum(failed) FROM minute") == (3, 4)


def test_a_blocked_job_that_waits_for_nobody_goes_on(ledger: Ledger) -> None:
    first = submit(ledger)
    second = submit(ledger, after=(first,))
    with ledger.write() as tx:
        tx.run("UPDATE job SET waits_for = 2 WHERE id = ?", (second,))
    assert second in look(ledger)["blocked jobs"].message
    mended(ledger, "blocked jobs")
    assert ledger.row("SELECT waits_for FROM job WHERE id = ?", (second,)) == (1,)


def test_rows_of_no_job_are_removed_and_a_queue_that_only_jobs_know_is_made(ledger: Ledger) -> None:
    submit(ledger)
    with ledger.write() as tx:
        for job in range(1000, 1500):
            tx.run("INSERT INTO event (at, kind, job) VALUES (1, 'job_log', ?)", (job,))
            tx.run("INSERT INTO dependency (parent, job) VALUES (1, ?)", (job,))
        tx.run("DELETE FROM queue")
    assert "dependency, event" in look(ledger)["rows"].message
    mended(ledger, "rows")
    assert ledger.row("SELECT count(*) FROM event WHERE job = 1") == (1,)
    assert claim(ledger).queue == "default"


def test_an_index_of_words_that_does_not_agree_is_built_anew(ledger: Ledger) -> None:
    id_ = submit(ledger, data={"path": "sunset"})
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
    mended(ledger, "search")
    indexing.extend(ledger, 10)
    with ledger.write() as tx:
        tx.run("UPDATE fulltext_data SET block = x'00' WHERE id > 10")
    assert "damaged" in look(ledger)["search"].message
    mended(ledger, "search")
    assert search.ids(ledger, parse("text:sunset")) == [id_]


def test_an_index_that_lost_its_rows_is_built_anew(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "jobdesk.db"
    ledger = Ledger(path, clock)
    for _ in range(30):
        submit(ledger)
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as spoiled:  # write the table without its index
        spoiled.execute("PRAGMA writable_schema = ON")
        row = spoiled.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = 'job_type'")
        kept = row.fetchone()
        spoiled.execute("DELETE FROM sqlite_master WHERE name = 'job_type'")
    with closing(sqlite3.connect(path, isolation_level=None)) as spoiled:
        spoiled.execute("DROP TRIGGER job_reworded")
        spoiled.execute("UPDATE job SET type = 'other' WHERE seq < 10")
        spoiled.execute("PRAGMA writable_schema = ON")
        spoiled.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", kept)
    ledger = Ledger(path, clock)
    found = look(ledger)["database"]
    assert not found.ok
    assert "job_type" in found.message
    look(ledger, fix=True)
    assert look(ledger)["database"].ok
    ledger.close()


def test_a_damaged_database_is_found(ledger: Ledger) -> None:
    for _ in range(200):
        submit(ledger, data={"pad": "x" * 1000})
    ledger.row("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    with ledger.path.open("r+b") as file:
        file.seek(ledger.path.stat().st_size // 2)
        file.write(b"\x5a" * 20_000)
    finding = look(ledger)["database"]
    assert not finding.ok
    assert "backup" in str(finding.mend)


def test_it_looks_at_all_while_another_holds_the_ledger(tmp_path: Path) -> None:
    """Whoever waited for the write lock would find it locked: no check takes it, not even for a moment."""
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock())
    for number in range(50):
        submit(ledger, data={"number": number})
    indexing.extend(ledger, 100)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert bad(look(ledger)) == set()
        other.execute("ROLLBACK")
    ledger.close()


def test_running_jobs_of_the_dead_are_reported(ledger: Ledger) -> None:
    id_ = submit(ledger)
    claim(ledger, "con_dead/1")
    finding = look(ledger)["running jobs"]
    assert not finding.ok
    assert id_ in finding.message
    assert "jobdesk --consumer" in str(finding.mend)
    assert look(ledger, consumers=(living(id="con_dead"),))["running jobs"].ok


def test_a_consumer_that_lives_and_is_silent_is_named(ledger: Ledger) -> None:
    now = ledger.clock.now()
    finding = look(ledger, consumers=(living(pid=77, heartbeat_at=now - 300),))["consumers"]
    assert not finding.ok
    assert finding.message == "consumer 77 lives and has said nothing for 300 s"
