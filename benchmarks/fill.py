"""A ledger with very many jobs, for measurements: `python -m benchmarks.fill HOME 1000000`."""

import random
import sys
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


def fill(home: Path, count: int) -> None:
    """Add `count` jobs: 97 % completed, 1 % failed, 1 % cancelled, 1 % pending in a paused queue."""
    desk, dice = Desk(home), random.Random(1)
    desk.sync_queues()
    now = desk.clock.now()
    with desk.ledger.write() as tx:
        tx.run("UPDATE queue SET paused_at = ?, paused_by = 'fill'", (now,))
    for start in range(0, count, 50_000):
        size = min(50_000, count - start)
        at = [now - (count - start - n) * 0.5 for n in range(size)]
        made = [(ids.new("job", at[n]), *dice.choice(list(TYPES.items())), at[n], at[n]) for n in range(size)]
        with desk.ledger.write() as tx:
            first = int((tx.row("SELECT coalesce(max(seq), 0) FROM job") or (0,))[0]) + 1
            tx.many(
                "INSERT INTO job (id, type, queue, state, priority, max_attempts, created_at, run_at, ready_at, "
                "timeout_s, retry, data) VALUES (?, ?, ?, 'pending', 50, 4, ?4, ?, ?4, 300, '{}', "
                """'{"source": "/photos/IMG_2041.jpg", "sizes": [256]}')""",
                made,
            )
            span = (first, first + size)
            _move(
                tx,
                span,
                "seq % 100 < 98",
                "processing",
                "attempt = 1, worker = 'fill/1', started_at = created_at + 0.1",
            )
            ended = "finished_at = created_at + 0.1 + (seq % 977) / 500.0"
            _move(tx, span, "seq % 100 < 97", "completed", f"result = '{{}}', {ended}")
            failed = "error_type = 'ConnectTimeout', error_message = 'payments did not answer', error_fingerprint = 'f'"
            _move(tx, span, "seq % 100 = 97", "failed", f"{failed}, {ended}")
            _move(tx, span, "seq % 100 = 98", "cancelled", "finished_at = created_at + 1")
        print(f"\r{start + size:,} jobs", end="", flush=True)
    print()
    desk.close()


def _move(tx: Tx, span: tuple[int, int], which: str, state: str, more: str) -> None:
    tx.run(f"UPDATE job SET state = '{state}', {more} WHERE seq >= ? AND seq < ? AND {which}", span)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
