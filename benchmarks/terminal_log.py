"""A job with a log of very many lines, for measurements."""

from pathlib import Path

from jobdesk import Desk
from jobdesk.ledger import reports

_AT_ONCE = 20_000
_TEXT = "resized beach.jpg to 256 px, 1080 px and 2160 px; kept its colours, left the place out"


def add_log(home: Path, size_mb: int) -> tuple[str, int]:
    """Give the newest completed job a log of so many megabytes; its id, and how many lines that are."""
    desk = Desk(home)
    (job,) = desk.jobs("state:completed", limit=1).jobs
    count = size_mb * 1_000_000 // len(f"line {0:07} {_TEXT}")
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        with desk.ledger.write() as tx:
            reports.log(tx, job, [(tx.now, "info", f"line {n:07} {_TEXT}") for n in numbers])
    desk.close()
    return job.id, count
