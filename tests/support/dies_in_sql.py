"""`jobdesk` that is killed right before it runs its nth SQL statement: N WORDS…; says how many ran if it lives."""

import os
import signal
import sqlite3
import sqlite3.dbapi2
import sys
from typing import Any

from jobdesk.cli.main import main


class Counted:
    """Statements that this process ran, in whatever connection."""

    def __init__(self, last: int) -> None:
        self.ran = 0
        self._last = last
        self._connect = sqlite3.connect

    def before(self, _: str) -> None:
        self.ran += 1
        if self.ran == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(self, *given: Any, **options: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = self._connect(*given, **options)
        made.set_trace_callback(self.before)
        return made


if __name__ == "__main__":
    counted = Counted(int(sys.argv[1]))
    sqlite3.connect = sqlite3.dbapi2.connect = counted.connect  # type: ignore[assignment]
    code = main(sys.argv[2:])
    sys.stderr.write(f"{counted.ran}\n")
    sys.exit(code)
