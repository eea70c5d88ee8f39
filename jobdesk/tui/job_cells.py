"""How a job looks as a row: its columns, and what each says in each state."""

from collections.abc import Mapping

from jobdesk.core.durations import short
from jobdesk.core.job import FINAL, State
from jobdesk.ledger.search import Line
from jobdesk.tui.columns import Column
from jobdesk.tui.format import Spans, ago, bar, clean, priority, state, whole
from jobdesk.tui.glyphs import Glyphs

COLUMNS = (
    Column("state", "state", 12),
    Column("type", "type", 23, rank=1, grow=1, most=40),
    Column("subject", "about", 13, rank=2, grow=3, most=60),
    Column("note", "detail", 14, rank=4, grow=8),
    Column("queue", "queue", 20, rank=6, grow=1, most=40),
    Column("try", "try", 4, rank=7, align=">"),
    Column("took", "took", 5, rank=5, align=">"),
    Column("age", "age", 4, rank=3, align=">"),
    Column("priority", "prio", 6, rank=8, spare=True),
    Column("id", "id", 8, rank=9, spare=True),
)
BAR = 8


def cells(line: Line, now: float, glyphs: Glyphs) -> Mapping[str, Spans]:
    """The cells of one job."""
    muted = "muted" if line.state in FINAL else "text"
    return {
        "state": state(line.state, glyphs),
        "type": ((clean(line.type), "text"),),
        "subject": ((clean(line.subject), muted),),
        "note": note(line, now, glyphs),
        "queue": ((clean(line.queue), "muted"),),
        "try": ((f"{line.attempt}/{line.max_attempts}" if line.attempt else glyphs.dash, "muted"),),
        "took": ((took(line, now, glyphs), "muted"),),
        "age": ((ago(line.created_at, now), "muted"),),
        "priority": ((priority(line.priority), "muted"),),
        "id": ((f"{line.id[-8:].lower()}", "faint"),),
    }


def took(line: Line, now: float, glyphs: Glyphs) -> str:
    """How long its last attempt ran, or runs by now in whole seconds."""
    if line.started_at is None:
        return glyphs.dash
    if line.state is State.PROCESSING:
        return ago(line.started_at, now) if now - line.started_at >= 1 else "0s"
    if line.finished_at is None:
        return glyphs.dash
    return short(max(0.0, line.finished_at - line.started_at))


def note(line: Line, now: float, glyphs: Glyphs) -> Spans:
    """The one thing to say about a job besides its state."""
    if line.cancel_requested_at is not None and line.state is State.PROCESSING:
        return (("stopping", "warn"),)
    if line.state is State.PROCESSING:
        return progress(line, glyphs)
    if line.state in (State.SCHEDULED, State.RETRYING):
        when = f"in {ahead(line.run_at, now)}" if line.run_at > now else "due now"
        why = (
            f" {glyphs.dot} {clean(line.error_message)}" if line.state is State.RETRYING and line.error_message else ""
        )
        return ((when, "later"), (why, "muted"))
    if line.state in (State.FAILED, State.EXPIRED, State.CANCELLED) and line.error_type:
        tone = "bad" if line.state is State.FAILED else "muted"
        hidden = {"Cancelled", "ParentFailed", "Expired"}
        kind = "" if line.error_type in hidden else f"{line.error_type}: "
        return ((kind, tone), (clean(line.error_message or ""), "muted"))
    return ()


def progress(line: Line, glyphs: Glyphs) -> Spans:
    """How far, as a number and a bar, where the total is known; then what the job says."""
    said = clean(line.progress_message or "")
    if not line.progress_total or line.progress_done is None:
        return ((said, "muted"),)
    share = line.progress_done / line.progress_total
    return ((f"{min(100, int(share * 100)):>3}% ", "text"), *bar(share, BAR, glyphs), (f" {said}", "muted"))


def left(line: Line, now: float) -> float | None:
    """Seconds a running job still needs, learned from its own pace; None while that would be a guess."""
    if not line.progress_total or not line.progress_done or line.started_at is None:
        return None
    passed, share = now - line.started_at, line.progress_done / line.progress_total
    if passed < 2 or not 0.05 <= share < 1:
        return None
    return passed / share - passed


def ahead(at: float, now: float) -> str:
    """How long until then."""
    return whole(at - now) if at - now >= 1 else "a moment"
