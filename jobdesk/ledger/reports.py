"""What a running job says of itself, as far as its claim still holds: progress, log lines, files, assets."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobdesk.core.clock import instant
from jobdesk.core.events import Kind
from jobdesk.core.job import Artifact, Job, Progress
from jobdesk.core.text import clean, to_json
from jobdesk.ledger.database import Tx

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


def log(tx: Tx, job: Job, lines: Sequence[LogLine]) -> list[int]:
    """Append lines to the job's log; the ids of their events."""
    if not lines:
        return []
    tx.many(
        "INSERT INTO event (at, kind, job, queue, data) VALUES (?, ?, ?, ?, ?)", [_event(job, one) for one in lines]
    )
    row = tx.row("SELECT last_insert_rowid()")
    assert row is not None
    return list(range(row[0] - len(lines) + 1, row[0] + 1))  # in a write transaction nobody comes between


def logged(tx: Tx, job: Job) -> list[tuple[int, int, int]]:
    """Of each line in the job's log the id, its letters, and how many lines it says were left out."""
    return tx.rows(
        "SELECT id, length(data), coalesce(json_extract(data, '$.left_out'), 0) FROM event "
        "WHERE job = ? AND kind = ? ORDER BY id",
        (job.seq, Kind.JOB_LOG.value),
    )


def unlog(tx: Tx, ids: Sequence[int]) -> None:
    """Remove lines of logs."""
    tx.many("DELETE FROM event WHERE id = ?", [(id_,) for id_ in ids])


def left_out(tx: Tx, job: Job, id_: int | None, count: int) -> int:
    """Let a line, this one or a new one, say that so many were left out in its place; its id."""
    said = {"level": "warning", "message": f"… {count:,} lines left out", "attempt": job.attempt, "left_out": count}
    if id_ is not None:
        tx.run("UPDATE event SET data = ? WHERE id = ?", (to_json(said), id_))
        return id_
    tx.event(Kind.JOB_LOG, job.seq, job.queue, **said)
    row = tx.row("SELECT last_insert_rowid()")
    assert row is not None
    return int(row[0])


def _event(job: Job, line: LogLine) -> tuple[float, str, int, str, str]:
    at, level, message = line
    said = {"level": level, "message": clean(message[:LINE_CHARACTERS]), "attempt": job.attempt}
    return at, Kind.JOB_LOG.value, job.seq, job.queue, to_json(said)


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
