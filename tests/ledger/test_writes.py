"""How a write reaches the disk, and who keeps it from doing so."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.core.errors import LedgerError
from jobdesk.ledger import database, together
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.locks import writer_of
from tests.support.home import until

NORMAL, FULL = 1, 2
"""What SQLite answers; in its documentation: https://sqlite.org/pragma.html#pragma_synchronous."""


@pytest.mark.parametrize(("setting", "durable", "else_"), [("full", FULL, NORMAL), ("normal", NORMAL, NORMAL)])
def test_only_what_must_outlive_a_loss_of_power_waits_for_the_disk(
    tmp_path: Path, setting: str, durable: int, else_: int
) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock(), synchronous=lambda: setting)
    for is_durable, expected in ((True, durable), (False, else_), (False, else_), (True, durable)):
        with ledger.write(durable=is_durable) as tx:
            assert tx.row("PRAGMA synchronous") == (expected,)
    ledger.close()


def test_a_submission_waits_for_the_disk_when_others_may_write_and_look_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, order = Ledger(tmp_path / "jobdesk.db", SystemClock()), list[str]()
    ledger.on_commit.append(lambda wakes: order.append("told"))
    other = sqlite3.connect(tmp_path / "jobdesk.db", isolation_level=None, timeout=0)

    def sync(file: int) -> None:
        assert os.path.samestat(os.fstat(file), (tmp_path / "jobdesk.db-wal").stat())
        assert other.execute("SELECT value FROM meta WHERE key = 'new'").fetchall() == [("1",)]
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        os.fdatasync(file)
        order.append("synced")

    monkeypatch.setattr(together, "_fdatasync", sync)
    ledger.together(lambda tx: tx.run("INSERT INTO meta VALUES ('new', '1')"))
    assert order == ["told", "synced"]
    other.close()
    ledger.close()


@pytest.mark.parametrize(("setting", "synced"), [("full", 1), ("normal", 0), ("off", 0)])
def test_a_submission_waits_for_the_disk_only_where_the_settings_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, synced: int
) -> None:
    ledger, files = Ledger(tmp_path / "jobdesk.db", SystemClock(), synchronous=lambda: setting), list[int]()
    monkeypatch.setattr(together, "_fdatasync", files.append)
    ledger.together(lambda tx: tx.run("UPDATE meta SET value = value"))
    assert len(files) == synced
    ledger.close()


def test_threads_that_submit_at_once_share_the_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, files = Ledger(tmp_path / "jobdesk.db", SystemClock()), list[int]()
    first, on = threading.Event(), threading.Event()

    def sync(file: int) -> None:
        files.append(file)
        first.set()
        assert on.wait(30)

    monkeypatch.setattr(together, "_fdatasync", sync)

    def submit(number: int) -> None:
        ledger.together(lambda tx: tx.run("INSERT INTO meta VALUES (?, '')", (f"new{number}",)))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(5)]
    threads[0].start()
    assert first.wait(30)
    for thread in threads[1:]:
        thread.start()
    until(lambda: ledger.rows("SELECT count(*) FROM meta WHERE key LIKE 'new%'") == [(5,)])
    on.set()
    for thread in threads:
        thread.join(30)
    assert len(files) < len(threads)
    ledger.close()


def test_what_the_disk_does_not_confirm_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock())

    def sync(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(together, "_fdatasync", sync)
    with pytest.raises(LedgerError, match="did not confirm what was written"):
        ledger.together(lambda tx: tx.run("INSERT INTO meta VALUES ('new', '1')"))
    assert ledger.rows("SELECT value FROM meta WHERE key = 'new'") == [("1",)]
    ledger.close()


def test_where_the_file_system_can_have_no_wal_a_submission_is_stored_all_the_same(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock())
    assert ledger.rows("PRAGMA journal_mode = delete") == [("delete",)]  # what SQLite does there by itself
    ledger.together(lambda tx: tx.run("INSERT INTO meta VALUES ('new', '1')"))
    assert not (tmp_path / "jobdesk.db-wal").exists()
    assert ledger.rows("SELECT value FROM meta WHERE key = 'new'") == [("1",)]
    ledger.close()


def test_what_is_between_writes_is_not_in_the_middle_of_one(ledger: Ledger) -> None:
    order: list[str] = []

    def write() -> None:
        with ledger.write() as tx:
            tx.run("UPDATE meta SET value = value")
            order.append("write")

    thread = threading.Thread(target=write)
    with ledger.between_writes():
        thread.start()
        order.append("between")
    thread.join(30)
    assert order == ["between", "write"]


_HOLDS = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None)
ledger.execute("BEGIN IMMEDIATE")
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who holds the lock")
def test_who_keeps_others_from_writing_is_named(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    other = Ledger(ledger.path, ledger.clock)
    words = [sys.executable, "-c", _HOLDS, str(ledger.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        with pytest.raises(LedgerError, match=rf"process {holder.pid} \(.+\) holds a long transaction"), other.write():
            pass
        os.kill(holder.pid, signal.SIGSTOP)
        until(lambda: (found := writer_of(ledger.path)) is not None and found.is_stopped)
        with pytest.raises(LedgerError, match=rf"{holder.pid} .* is stopped in the middle of a write"), other.write():
            pass
        holder.kill()
    other.close()
    with ledger.write() as tx:
        tx.run("UPDATE meta SET value = value")
    assert writer_of(ledger.path) is None
