"""A consumer that was stopped (SIGSTOP, ctrl+z) in the middle of a write: nobody can write until it goes on or ends."""

import logging
import os
import signal
from contextlib import suppress

from jobdesk.core.clock import Clock
from jobdesk.ledger import workers
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.locks import writer_of
from jobdesk.runtime import processes


class Standstill:
    """Ends such a consumer once it has stood still for as long as one may be silent: its jobs would be taken anyway."""

    def __init__(self, ledger: Ledger, clock: Clock, lost_after_s: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lost_after_s = lost_after_s
        self._seen: tuple[str, float] | None = None
        self._since = 0.0

    def is_the_cause(self) -> bool:
        """Whether nobody can write because of that; to be asked each time the ledger stayed locked."""
        writer, now = writer_of(self._ledger.path), self._clock.monotonic()
        if writer is None or not writer.is_stopped:
            return False
        for one in workers.running(self._ledger):
            if one.pid == writer.pid and processes.is_alive(one.pid, one.process_started):
                if self._seen != (one.id, one.heartbeat_at):
                    self._seen, self._since = (one.id, one.heartbeat_at), now
                elif now - self._since > self._lost_after_s:
                    with suppress(OSError):
                        os.kill(one.pid, signal.SIGKILL)
                    logging.getLogger("jobdesk").warning(
                        "consumer %d was stopped in the middle of a write for %.0f s, and is ended: nobody could write",
                        one.pid,
                        now - self._since,
                    )
                return True
        return False
