"""A ledger with very many jobs, for measurements: `python -m benchmarks.fill HOME 1000000`."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from jobdesk import Desk
from jobdesk.core.ids import ids
from jobdesk.ledger.database import Tx

TYPES = {
    "THUMBNAIL_GENERATE": "processing.images",
    "IMAGE_RESIZE": "processing.images",
    "VIRUS_SCAN": "upload.high-priority",
    "NOTIFICATION_SEND": "notifications",
    "email": "email-sending",
}
AT_ONCE = 50_000
_ENDED = (
    "INSERT INTO job (id, type, queue, state, priority, attempt, fence, max_attempts, created_at, run_at, ready_at, "
    "started_at, finished_at, worker, timeout_s, retry, data, result, error_type, error_message, error_fingerprint) "
    "VALUES (?1, ?2, ?3, ?5, 50, ?5 <> 'cancelled', ?5 <> 'cancelled', 4, ?4, ?4, ?4, "
    "CASE WHEN ?5 <> 'cancelled' THEN ?4 + 0.1 END, ?4 + 0.1 + (?6 % 977) / 500.0, "
    "CASE WHEN ?5 <> 'cancelled' THEN 'fill/1' END, 300, '{}', "
    """printf('{"source": "/photos/IMG_%07d.jpg", "sizes": [256]}', ?6), CASE WHEN ?5 = 'completed' THEN '{}' END, """
    "CASE WHEN ?5 = 'failed' THEN 'ConnectTimeout' END, "
    "CASE WHEN ?5 = 'failed' THEN 'payments did not answer' END, CASE WHEN ?5 = 'failed' THEN 'f' END)"
)
_WAITING = (
    "INSERT INTO job (id, type, queue, state, priority, max_attempts, created_at, run_at, ready_at, timeout_s, retry, "
    "data) VALUES (?, ?, ?, 'pending', 50, 4, ?4, ?4, ?4, 300, '{}', "
    """printf('{"source": "/photos/IMG_%07d.jpg", "sizes": [256]}', ?5))"""
)
Made = tuple[str, str, str, float]


def fill(home: Path, count: int) -> None:
    """Add `count` jobs, numbered: 97 % completed, 1 % failed, 1 % cancelled, 1 % pending in a paused queue."""
    desk, dice = Desk(home), random.Random(1)
    desk.sync_queues()
    now = desk.clock.now()
    with desk.ledger.write() as tx:
        tx.run("UPDATE queue SET paused_at = ?, paused_by = 'fill'", (now,))
    types = list(TYPES.items())
    for start in range(0, count, AT_ONCE):
        at = [now - (count - n) * 0.5 for n in range(start, min(start + AT_ONCE, count))]
        made = [(ids.new("job", one), *dice.choice(types), one) for one in at]
        with desk.ledger.write() as tx:
            tx.many(_WAITING, [(*job, n) for n, job in enumerate(made, start) if n % 100 == 99])
            _ended(tx, made, start)
        print(f"\r{start + len(at):,} jobs", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    desk.close()


def _ended(tx: Tx, made: list[Made], start: int) -> None:
    """Store jobs as they are at their end, with what the triggers would have counted on the way there."""
    triggers = tx.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'job'")
    for name, _ in triggers:
        tx.run(f"DROP TRIGGER {name}")
    first = int((tx.row("SELECT coalesce(max(seq), 0) FROM job") or (0,))[0]) + 1
    tx.many(_ENDED, list(_ends(made, start)))
    since = (first,)
    tx.run(
        "INSERT INTO tally SELECT queue, state, count(*) FROM job WHERE seq >= ? GROUP BY queue, state "
        "ON CONFLICT DO UPDATE SET n = n + excluded.n",
        since,
    )
    tx.run(
        "INSERT INTO minute SELECT CAST(finished_at / 60 AS INTEGER), queue, sum(state = 'completed'), "
        "sum(state = 'failed') FROM job WHERE seq >= ? AND state <> 'cancelled' GROUP BY 1, 2 ON CONFLICT DO UPDATE "
        "SET completed = completed + excluded.completed, failed = failed + excluded.failed",
        since,
    )
    tx.run(
        "INSERT INTO event (at, kind, job, queue) SELECT finished_at, 'job_' || state, seq, queue FROM job "
        "WHERE seq >= ? AND finished_at IS NOT NULL ORDER BY finished_at",
        since,
    )
    for _, sql in triggers:
        tx.run(sql)


def _ends(made: list[Made], start: int) -> Iterator[tuple[str, str, str, float, str, int]]:
    ends = {97: "failed", 98: "cancelled"}
    for n, job in enumerate(made, start):
        if n % 100 != 99:
            yield (*job, ends.get(n % 100, "completed"), n)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
