"""How a write reaches the disk, and who keeps it from doing so."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.core.errors import LedgerError
from jobdesk.ledger import database
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
