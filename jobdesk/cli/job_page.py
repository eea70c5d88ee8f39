"""`jobdesk jobs show` for a person: one job with its error, attempts, relatives and files."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.output import Column, Out, state_tone
from jobdesk.core.durations import short, size
from jobdesk.core.job import PRIORITIES
from jobdesk.core.redaction import shown
from jobdesk.ledger import reads, speaking

if TYPE_CHECKING:
    from jobdesk.core.job import Job
    from jobdesk.desk import Desk


def show(desk: "Desk", job: "Job", out: Out) -> None:
    """Print everything about a job."""
    now = desk.clock.now()
    out.fields(_facts(job, out, now, is_paused=speaking.paused(desk.ledger, job) is not None))
    if job.error is not None:
        out.heading("error")
        out.fields(
            [
                ("what", f"{job.error.type}: {job.error.message}"),
                ("fingerprint", job.error.fingerprint or ""),
                ("retryable", "yes" if job.error.retryable else "no"),
                ("traceback", job.error.traceback or ""),
            ]
        )
    out.heading("data")
    _value(shown(job.data), out)
    if job.result is not None:
        out.heading("result")
        _value(shown(job.result, names=False), out)
    if job.artifacts:
        out.heading("files")
        out.table(
            (Column("kind"), Column("size", right=True), Column("path", least=20)),
            [(made.kind, size(made.bytes) if out.terminal else str(made.bytes), made.path) for made in job.artifacts],
        )
    _attempts(desk, job, out)
    _relatives(desk, job, out)


def _facts(job: "Job", out: Out, now: float, *, is_paused: bool) -> list[tuple[str, str]]:
    progress = job.progress
    share = "" if progress is None or progress.percent is None else f"{progress.percent:g}%"
    state = out.paint(out.state(job.state), state_tone(job.state.value))
    if job.cancel_requested_at is not None and job.state == "processing":
        state += ", asked to stop"
    if job.held:
        state += ", held"
    if is_paused:
        state += ", paused"
    out.line(f"{out.paint(job.id, 'bold')}  {state}")
    return [
        ("type", job.type),
        ("label", job.label or ""),
        ("queue", job.queue),
        ("priority", next((word for word, rank in PRIORITIES.items() if rank == job.priority), str(job.priority))),
        ("attempt", f"{job.attempt} of {job.max_attempts}"),
        ("progress", " ".join(part for part in (share, (progress and progress.message) or "") if part)),
        ("user", job.user or ""),
        ("source", job.source or ""),
        ("unique", job.unique or ""),
        ("not at once with", job.concurrency_key or ""),
        ("flow", job.flow or ""),
        ("step", job.step or ""),
        ("schedule", job.schedule or ""),
        ("created", out.when(job.created_at, now)),
        ("runs", out.when(job.run_at, now) if job.state in ("scheduled", "retrying") else ""),
        ("started", "" if job.started_at is None else out.when(job.started_at, now)),
        ("finished", "" if job.finished_at is None else out.when(job.finished_at, now)),
        ("expires", "" if job.expires_at is None or job.finished_at else out.when(job.expires_at, now)),
        ("waited", _span(job.queue_ms)),
        ("took", _span(job.processing_ms)),
        ("cpu", _span(job.cpu_ms)),
        ("memory", "" if job.max_rss_bytes is None else size(job.max_rss_bytes)),
        ("timeout", "" if job.timeout_s is None else short(job.timeout_s)),
        ("worker", job.worker or ""),
    ]


def _span(milliseconds: int | None) -> str:
    return "" if milliseconds is None else short(milliseconds / 1000)


def _value(value: Any, out: Out) -> None:
    import json

    from jobdesk.cli.output import plain

    for line in json.dumps(value, ensure_ascii=False, indent=2).splitlines():
        out.line(plain(line))


def _attempts(desk: "Desk", job: "Job", out: Out) -> None:
    tries = reads.attempts(desk.ledger, job.id)
    if not tries:
        return
    out.heading("attempts")
    tones = {"completed": "ok", "failed": "bad", "stalled": "warn"}
    out.table(
        (
            Column("#", right=True),
            Column("outcome", tone=lambda cell: tones.get(cell, "")),
            Column("started"),
            Column("took", right=True),
            Column("cpu", right=True, drop=2),
            Column("memory", right=True, drop=3),
            Column("error", least=16, drop=1),
        ),
        [
            (
                str(one["number"]),
                one["outcome"],
                out.clock_time(one["started_at"]),
                short(one["finished_at"] - one["started_at"]),
                _span(one["cpu_ms"]) or out.nothing,
                out.nothing if one["max_rss_bytes"] is None else size(one["max_rss_bytes"]),
                f"{one['error_type']}: {one['error_message']}" if one["error_type"] else "",
            )
            for one in tries
        ],
    )


def _relatives(desk: "Desk", job: "Job", out: Out) -> None:
    before, behind = reads.relatives(desk.ledger, job.id)
    for title, jobs in (("waits for", before), ("leads to", behind)):
        if jobs:
            out.heading(title)
            out.table(
                (Column("id"), Column("state", tone=state_tone), Column("type", least=10)),
                [(one.id, out.state(one.state), one.type) for one in jobs],
            )
