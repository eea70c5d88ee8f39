"""Opening the ledger of a home: to work on it, or only to look."""

from jobdesk.core.clock import Clock
from jobdesk.home import Home
from jobdesk.ledger import locks
from jobdesk.ledger.database import Ledger
from jobdesk.queue.wake import listeners
from jobdesk.settings import Settings


def ledger(home: Home, clock: Clock, settings: Settings, *, read_only: bool) -> Ledger:
    """The ledger of a home; made or brought up to date unless it is only read. What was done so is in the log.

    Raises:
        LedgerError: it cannot be opened.
    """
    if read_only:
        from jobdesk.ledger.read_only import ReadOnlyLedger

        return ReadOnlyLedger(home.database, clock)
    locks.refuse_torn(home.database, listeners(home.run), clock)
    lost = not home.database.exists() and _has_worked(home)
    made = Ledger(home.database, clock, synchronous=lambda: settings.synchronous, is_alive=_is_alive)
    if lost:
        made.notice = (
            f"{home.database} was gone, though this home has been worked with: a new one is begun, without the old "
            "jobs; if you have a backup: jobdesk restore FILE"
        )
    if made.notice is not None:
        import logging

        from jobdesk import logs

        logs.to_file(home.logs)
        logging.getLogger("jobdesk").warning("%s", made.notice)
    return made


def _is_alive(pid: int, started: float) -> bool:
    from jobdesk.runtime.processes import is_alive

    return is_alive(pid, started)


def _has_worked(home: Home) -> bool:
    from jobdesk import logs

    return (home.logs / logs.FILE).exists()
