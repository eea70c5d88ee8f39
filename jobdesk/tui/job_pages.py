"""One job as text: its pages, each a list of lines. Pure functions of the story, the width and the time."""

import re
from collections.abc import Iterator

from jobdesk.core.clock import instant
from jobdesk.core.durations import short, size
from jobdesk.core.job import FINAL, Job, JobError, State
from jobdesk.core.subject import subject
from jobdesk.tui.format import (
    Spans,
    ago,
    bar,
    clean,
    clock_time,
    count_of,
    fit,
    fit_path,
    passed,
    priority,
    state,
    whole,
    wrap,
)
from jobdesk.tui.glyphs import TONES, Glyphs
from jobdesk.tui.job_cells import ahead
from jobdesk.tui.job_history import timeline
from jobdesk.tui.log_lines import LogLook, rows
from jobdesk.tui.story import Story

LABEL = 10
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z")
_LAST_LINES = 5


def pages(story: Story | None) -> tuple[str, ...]:
    """Names of the pages that a job has, in order."""
    if story is None:
        return ("Job",)
    names = ["Job", "Log", "Data"]
    if len(story.flow) > 1 or story.before or story.behind:
        names.append("Flow")
    return tuple(names)


def heading(text: str) -> Spans:
    return ((text, "title"),)


def field(label: str, value: str, tone: str = "text") -> Spans:
    """A label in its column, and what it says."""
    return ((fit(label, LABEL) + " ", "muted"), (value, tone))


def fields(label: str, value: str, width: int, tone: str = "text") -> Iterator[Spans]:
    """The same with a value that may need several lines."""
    for at, line in enumerate(wrap(value, max(10, width - LABEL - 1))):
        yield field(label if at == 0 else "", line, tone)


def job_page(story: Story, width: int, now: float, glyphs: Glyphs) -> list[Spans]:
    """What it is, how it stands, why, what happened, what it made."""
    job = story.job
    lines: list[Spans] = [_standing(story, now, glyphs)]
    lines.extend(_progress(job, width, now, glyphs))
    if story.why:
        lines.extend([(), heading("Why it does not run yet")])
        lines.extend(((line, "warn"),) for said in story.why for line in wrap(_in_clock_time(said, now), width))
    if job.error is not None:
        lines.extend(_error(story, width))
    lines.append(())
    lines.extend(_facts(job, width, now, glyphs))
    lines.extend(timeline(story, width, now, glyphs))
    if story.log.tail:
        lines.extend([(), heading(f"Log {glyphs.dot} the last lines")])
        lines.extend(line for event in story.log.tail[-_LAST_LINES:] for line in rows(event, LogLook(width)))
    if job.artifacts:
        lines.extend([(), heading("Files it made")])
        for made in job.artifacts:
            room = max(10, width - 11)
            lines.append(((fit(size(made.bytes), 9, ">") + "  ", "muted"), (fit_path(clean(made.path), room), "text")))
    return lines


def _in_clock_time(said: str, now: float) -> str:
    """With instants told as people do here."""
    return _INSTANT.sub(lambda found: clock_time(instant(found[0]), now), said)


def _standing(story: Story, now: float, glyphs: Glyphs) -> Spans:
    job, said = story.job, ""
    if job.cancel_requested_at is not None and job.state is State.PROCESSING:
        said = "asked to stop"
    elif story.paused is not None:
        said = f"{glyphs.paused} paused by {clean(story.paused[1])}, {passed(story.paused[0], now)}"
    elif job.held:
        said = "held, until it is released"
    elif job.state is State.PROCESSING and job.started_at is not None:
        said = f"for {ago(job.started_at, now) if now - job.started_at >= 1 else '0s'}"
    elif job.state in (State.SCHEDULED, State.RETRYING):
        said = f"in {ahead(job.run_at, now)}, at {clock_time(job.run_at, now)}" if job.run_at > now else "due now"
    elif job.state is State.PENDING:
        said = f"for {ago(job.ready_at, now)}" if job.ready_at and now - job.ready_at >= 1 else "just now"
    elif job.finished_at is not None:
        said = passed(job.finished_at, now)
    tries = f"   attempt {job.attempt} of {job.max_attempts}" if job.attempt else ""
    return (
        *((text, TONES[job.state]) for text, _ in state(job.state, glyphs)),
        (f"  {said}", "text"),
        (tries, "muted"),
    )


def _progress(job: Job, width: int, now: float, glyphs: Glyphs) -> Iterator[Spans]:
    done = job.progress
    if done is None or job.state is not State.PROCESSING:
        return
    if done.percent is not None and done.total:
        room = max(10, min(40, width - 30))
        tail = f" {done.percent:>3.0f}%"
        if job.started_at is not None and now - job.started_at >= 2 and 5 <= done.percent < 100:
            ran_s = now - job.started_at
            tail += f"  about {whole(ran_s / done.percent * (100 - done.percent))} left"
        yield (*bar(done.done / done.total, room, glyphs), (tail, "text"))
    if done.message:
        yield ((clean(done.message), "muted"),)


def _error(story: Story, width: int) -> Iterator[Spans]:
    error = story.job.error
    assert error is not None
    yield ()
    yield heading("Error")
    for line in wrap(f"{error.type}: {error.message}", width):
        yield ((line, "bad"),)
    notes = []
    if not error.retryable:
        notes.append("trying again cannot mend it")
    if story.same_error:
        notes.append(f"{count_of(story.same_error, 'other job')} failed the same way")
    if notes:
        yield (("; ".join(notes), "muted"),)
    if error.traceback:
        yield ()
        yield from traceback(error, width)


def traceback(error: JobError, width: int) -> Iterator[Spans]:
    """Where it came from, without the lines that only underline, and without saying again what the error was."""
    lines = (error.traceback or "").rstrip().splitlines()
    while lines and not lines[-1].startswith(" ") and lines[-1] in f"{error.type}: {error.message}":
        lines.pop()
    for line in lines:
        if line.strip(" ^~"):
            tone = "text" if line.startswith("    ") else "muted"
            yield from (((part, tone),) for part in wrap(line, width))


def _facts(job: Job, width: int, now: float, glyphs: Glyphs) -> Iterator[Spans]:
    yield from fields("type", job.type, width)
    if about := subject(job.data):
        yield from fields("about", about, width)
    yield field("queue", f"{clean(job.queue)}  {glyphs.dot}  {priority(job.priority)} priority")
    yield field("id", job.id)
    if job.user:
        yield field("user", clean(job.user))
    if job.source:
        yield from fields("source", job.source, width)
    if job.unique:
        yield from fields("unique", job.unique, width)
    if job.concurrency_key:
        yield from fields("key", job.concurrency_key, width)
    yield field("created", f"{clock_time(job.created_at, now)}  {glyphs.dot}  {passed(job.created_at, now)}")
    times = [
        f"waited {short(job.queue_ms / 1000)}" if job.queue_ms is not None else "",
        f"ran {short(job.processing_ms / 1000)}" if job.processing_ms is not None else "",
    ]
    if any(times):
        yield field("took", f"  {glyphs.dot}  ".join(time for time in times if time))
    used = [
        f"{job.cpu_ms / 1000:.1f} s of CPU" if job.cpu_ms is not None else "",
        f"{size(job.max_rss_bytes)} of memory" if job.max_rss_bytes is not None else "",
    ]
    if any(used):
        yield field("used", f"  {glyphs.dot}  ".join(use for use in used if use))
    if job.worker:
        yield from fields("worker", job.worker, width)
    if job.expires_at and job.state not in FINAL:
        yield field("expires", clock_time(job.expires_at, now))
