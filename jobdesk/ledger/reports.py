"""What a running job says of itself, as far as its claim still holds: progress, log lines, files, assets."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobdesk.core.clock import instant
from jobdesk.core.events import Kind
from jobdesk.core.job import Artifact, Job, Progress
from jobdesk.core.text import clean, to_json
from jobdesk.ledger.database import Tx

LOG_LINES = 10_000
"""Lines of log a job may have; what comes after is dropped, and the last line says so."""
LINE_CHARACTERS = 4_000

LogLine = tuple[float, str, str]
"""When (epoch seconds), level, message."""


def progress(tx: Tx, job: Job, now: Progress) -> bool:
    """Store how far the claimed job is. False: somebody else has it by now."""
    done = tx.run(
        "UPDATE job SET progress_done = ?, progress_total = ?, progress_message = ? "
        "WHERE seq = ? AND state = 'processing' AND fence = ?",
        (now.done, now.total, now.message and clean(now.message), job.seq, job.fence),
    )
    if done:
        tx.event(Kind.JOB_PROGRESS, job.seq, job.queue, **now.to_json())
    return bool(done)


def log(tx: Tx, job: Job, lines: Sequence[LogLine], room: int) -> None:
    """Append lines to the job's log.

    Args:
        room: how many lines it may still have; the caller counts down from `LOG_LINES`.
    """
    kept = list(lines[: max(0, room)])
    if len(kept) < len(lines) and room > 0:
        kept[-1] = (kept[-1][0], "warning", f"the log is cut here: a job may write {LOG_LINES:,} lines")
    tx.many(
        "INSERT INTO event (at, kind, job, queue, data) VALUES (?, ?, ?, ?, ?)",
        [
            (
                at,
                Kind.JOB_LOG.value,
                job.seq,
                job.queue,
                to_json({"level": level, "message": clean(message[:LINE_CHARACTERS]), "attempt": job.attempt}),
            )
            for at, level, message in kept
        ],
    )


def artifacts(tx: Tx, job: Job, made: Sequence[Artifact]) -> None:
    """Record files that the job made."""
    tx.many(
        "INSERT OR REPLACE INTO artifact (job, path, kind, bytes) VALUES (?, ?, ?, ?)",
        [(job.seq, clean(item.path), clean(item.kind), item.bytes) for item in made],
    )


def asset(tx: Tx, job: Job, record: Mapping[str, Any]) -> None:
    """Record an asset; the same id again replaces it, so that a repeated attempt changes nothing."""
    tx.run(
        "INSERT OR REPLACE INTO asset (id, created_at, job, flow, name, type, bytes, sha256, record) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record["id"],
            instant(record["created_at"]) if "created_at" in record else tx.now,
            job.id,
            job.flow,
            clean(record["name"]),
            clean(record["type"]),
            record["bytes"],
            record["sha256"],
            to_json(dict(record)),
        ),
    )
