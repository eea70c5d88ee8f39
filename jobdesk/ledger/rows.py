"""From rows to the records of core: one place that knows the order of columns."""

from collections.abc import Sequence
from typing import Any

from jobdesk.core.job import Job, JobError, Progress, State
from jobdesk.core.text import from_json

_STATES = {state.value: state for state in State}
"""What `State(…)` finds, in a twentieth of the time."""
JOB = (
    "j.seq, j.id, j.type, j.queue, j.state, j.priority, j.attempt, j.max_attempts, j.fence, j.created_at, j.run_at, "
    "j.ready_at, j.started_at, j.finished_at, j.expires_at, j.cancel_requested_at, j.worker, j.flow, j.step, "
    "j.parent, j.schedule, j.source, j.user, j.unique_key, j.timeout_s, j.progress_done, j.progress_total, "
    "j.progress_message, j.cpu_ms, j.max_rss_bytes, j.error_type, j.error_message, j.error_fingerprint, "
    "j.error_retryable, j.data, j.result, j.error_traceback, j.concurrency_key, j.held, "
    "j.label"
)
"""The columns of a whole job, for `SELECT … FROM job j`."""


def to_job(row: Sequence[Any], **more: Any) -> Job:
    """A Job from a row of `JOB`; `more` sets what other tables know (after, artifacts)."""
    (seq, id_, type_, queue, state, priority, attempt, max_attempts, fence, created_at, run_at,
     ready_at, started_at, finished_at, expires_at, cancel_requested_at, worker, flow, step,
     parent, schedule, source, user, unique_key, timeout_s, progress_done, progress_total,
     progress_message, cpu_ms, max_rss_bytes, error_type, error_message, error_fingerprint,
     error_retryable, data, result, error_traceback, concurrency_key, held, label) = row  # fmt: skip
    error = None
    if error_type is not None:
        error = JobError(error_type, error_message, error_traceback, error_fingerprint, bool(error_retryable))
    progress = None
    if progress_done is not None:
        progress = Progress(progress_done, progress_total, progress_message)
    return Job(
        seq=seq,
        id=id_,
        type=type_,
        queue=queue,
        state=_STATES[state],
        priority=priority,
        data=from_json(data),
        created_at=created_at,
        run_at=run_at,
        attempt=attempt,
        max_attempts=max_attempts,
        fence=fence,
        user=user,
        result=None if result is None else from_json(result),
        error=error,
        progress=progress,
        unique=unique_key,
        concurrency_key=concurrency_key,
        flow=flow,
        step=step,
        schedule=schedule,
        source=source,
        parent=parent,
        timeout_s=timeout_s,
        ready_at=ready_at,
        started_at=started_at,
        finished_at=finished_at,
        expires_at=expires_at,
        cancel_requested_at=cancel_requested_at,
        cpu_ms=cpu_ms,
        max_rss_bytes=max_rss_bytes,
        worker=worker,
        held=bool(held) and finished_at is None,
        label=label,
        **more,
    )
