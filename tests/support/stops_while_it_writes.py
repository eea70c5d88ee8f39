"""A consumer that is stopped (SIGSTOP) in the middle of a write once HOME's jobs run: HOME SECONDS."""

import os
import signal
import sys
import threading
from pathlib import Path

from jobdesk import Desk
from jobdesk.core.clock import SystemClock
from jobdesk.runtime import services


def work(home: Path) -> None:
    with Desk(home, clock=SystemClock()) as desk:
        while not desk.ledger.rows("SELECT 1 FROM tally WHERE state = 'processing' AND n > 0"):
            desk.clock.wait(threading.Event(), 0.01)
        with desk.ledger.write() as tx:
            tx.run("UPDATE meta SET value = value")
            os.kill(os.getpid(), signal.SIGSTOP)
        threading.Event().wait()


if __name__ == "__main__":
    services.LOST_AFTER_S = float(sys.argv[2])
    work(Path(sys.argv[1]))
