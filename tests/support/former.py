"""Homes as former versions of the ledger left them: tables of then, and in each something of every kind."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from jobdesk.ledger import identity, tables

VERSIONS = range(1, len(tables.MIGRATIONS))
"""Every version that a released jobdesk may have written."""
NOW = 1_790_000_000.0
PROCESSOR = """
from jobdesk import Context, processor

@processor("greet")
def greet(ctx: Context, name: str = "Ada") -> str:
    ctx.log.info(f"hello {name}")
    return f"hello {name}"
"""
_JOBS = {  # id: state, attempt, worker, started, finished, waits_for, flow
    "job_pending": ("pending", 0, None, None, None, 0, None),
    "job_scheduled": ("scheduled", 0, None, None, None, 0, None),
    "job_retrying": ("retrying", 1, None, NOW, None, 0, None),
    "job_running": ("processing", 1, "con_gone/1", NOW, None, 0, None),
    "job_completed": ("completed", 1, "con_gone/1", NOW, NOW + 1, 0, None),
    "job_failed": ("failed", 3, "con_gone/1", NOW, NOW + 2, 0, None),
    "job_cancelled": ("cancelled", 0, None, None, NOW + 3, 0, None),
    "job_expired": ("expired", 0, None, None, NOW + 4, 0, None),
    "job_first": ("pending", 0, None, None, None, 0, "flow_1"),
    "job_second": ("blocked", 0, None, None, None, 1, "flow_1"),
}
ENDED = ("job_completed", "job_failed", "job_cancelled", "job_expired")
TO_RUN = tuple(sorted(set(_JOBS) - set(ENDED)))


def former_ledger(path: Path, version: int, more: int = 0) -> None:
    """A ledger of this version; with `more`, so many further completed jobs lie in it."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = wal")
        made.execute("BEGIN")
        for script in tables.MIGRATIONS[:version]:
            for statement in _statements(script):
                made.execute(statement)
        made.execute(f"PRAGMA application_id = {identity.APPLICATION_ID}")
        made.execute(f"PRAGMA user_version = {version}")
        _fill(made, more)
        made.execute("COMMIT")


def _statements(script: str) -> list[str]:
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found


def _fill(made: sqlite3.Connection, more: int) -> None:
    made.execute("INSERT INTO queue (name) VALUES ('default')")
    jobs = _JOBS | {f"job_more{number}": _JOBS["job_completed"] for number in range(more)}
    for seq, (id_, (state, attempt, worker, started_at, finished_at, waits_for, flow)) in enumerate(jobs.items(), 1):
        made.execute(
            "INSERT INTO job (seq, id, type, queue, state, attempt, max_attempts, fence, waits_for, priority, "
            "created_at, run_at, ready_at, started_at, finished_at, worker, flow, timeout_s, retry, data, "
            "error_type, error_message, error_fingerprint, result) "
            "VALUES (?, ?, 'greet', 'default', ?, ?, 3, ?, ?, 50, ?, ?, ?, ?, ?, ?, ?, 60, '{}', ?, ?, ?, ?, ?)",
            (
                seq, id_, state, attempt, attempt, waits_for, NOW, NOW, None if waits_for else NOW, started_at,
                finished_at, worker, flow, f'{{"name": "{id_}"}}', *(("OddError", "an odd end", "odd")
                if state == "failed" else (None, None, None)), '"done"' if state == "completed" else None,
            ),
        )  # fmt: skip
        made.execute("INSERT INTO event (at, kind, job, queue) VALUES (?, 'job_created', ?, 'default')", (NOW, seq))
        made.execute("INSERT INTO tally VALUES ('default', ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (state,))
        if state in ("completed", "failed", "expired"):
            made.execute(
                "INSERT INTO minute VALUES (?, 'default', ?, ?) ON CONFLICT DO UPDATE SET "
                "completed = completed + excluded.completed, failed = failed + excluded.failed",
                (int((finished_at or 0) / 60), state == "completed", state != "completed"),
            )
        if finished_at is not None and attempt:
            made.execute(
                "INSERT INTO attempt (job, fence, number, outcome, worker, started_at, finished_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (seq, attempt, attempt, state, worker, started_at, finished_at),
            )
    seqs = {id_: seq for seq, id_ in enumerate(jobs, 1)}
    made.execute("INSERT INTO dependency (parent, job) VALUES (?, ?)", (seqs["job_first"], seqs["job_second"]))
    made.execute("INSERT INTO flow (id, name, created_at, total, open) VALUES ('flow_1', 'old', ?, 2, 2)", (NOW,))
    made.execute(
        "INSERT INTO consumer (id, kind, pid, process_started, workers, started_at, heartbeat_at) "
        "VALUES ('con_gone', 'consumer', 4000000, 1, 2, ?, ?)",
        (NOW, NOW),
    )
    made.execute(
        "INSERT INTO asset (id, created_at, job, name, type, bytes, sha256, record) "
        "VALUES ('ast_1', ?, 'job_completed', 'cat.jpg', 'image/jpeg', 1, 'ab', '{\"id\": \"ast_1\"}')",
        (NOW,),
    )
    made.execute(
        "INSERT INTO intake (id, folder, path, state, job, first_seen, claimed_at, finished_at) "
        "VALUES ('file_1', '/somewhere', x'636174', 'done', 'job_completed', ?, ?, ?)",
        (NOW, NOW, NOW),
    )
    made.execute(
        "INSERT INTO schedule (name, origin, type, cron, timezone, data, missed, overlap, created_at, changed_at, "
        "cursor_at, next_at) VALUES ('yearly', 'added', 'greet', '@yearly', 'UTC', '{}', 'skip', 'allow', ?, ?, ?, ?)",
        (NOW, NOW, NOW, NOW + 3e8),
    )
