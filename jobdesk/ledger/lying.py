"""Dead letters that came lately and are there still: not those that were retried or removed since."""

from jobdesk.ledger.database import Ledger

_DEAD = "state IN ('failed', 'expired')"
"""As the index of dead letters has it: in another order SQLite does not see that it fits."""


def since(ledger: Ledger, instant: float) -> dict[str, int]:
    """How many of each queue came since an instant, epoch seconds.

    It costs as many steps as there are dead letters, or jobs that ended since, whichever are fewer.
    """
    row = ledger.row(
        f"SELECT (SELECT coalesce(sum(n), 0) FROM tally WHERE {_DEAD}), "
        "(SELECT coalesce(sum(completed + failed), 0) FROM minute WHERE at >= ?)",
        (int(instant // 60),),
    )
    dead, ended = (0, 0) if row is None else row
    index = "job_error" if dead <= ended else "job_finished"
    rows = ledger.rows(
        f"SELECT queue, count(*) FROM job INDEXED BY {index} "
        f"WHERE {_DEAD} AND finished_at >= ? AND finished_at IS NOT NULL GROUP BY queue",
        (instant,),
    )
    return {queue: int(n) for queue, n in rows}
