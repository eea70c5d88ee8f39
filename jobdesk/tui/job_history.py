"""What happened to a job, as text: its timeline."""

from collections.abc import Iterator

from jobdesk.core.durations import short
from jobdesk.core.events import Event, Kind
from jobdesk.tui.format import Spans, clean, clock_time, fit, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.story import Story

_TOLD = {
    Kind.JOB_CREATED: ("created", "muted"),
    Kind.JOB_STARTED: ("started", "run"),
    Kind.JOB_RETRY: ("tried again", "warn"),
    Kind.JOB_COMPLETED: ("completed", "ok"),
    Kind.JOB_FAILED: ("failed", "bad"),
    Kind.JOB_CANCELLED: ("cancelled", "muted"),
    Kind.JOB_EXPIRED: ("expired", "bad"),
    Kind.JOB_STALLED: ("its worker died", "bad"),
}


def timeline(story: Story, width: int, now: float, glyphs: Glyphs) -> Iterator[Spans]:
    yield ()
    yield (("Timeline", "title"),)
    before: float | None = None
    for event in story.events:
        word, tone = _told(event)
        passed = "" if before is None else f"+{short(max(0.0, event.at - before))}"
        before = event.at
        text = _details(event)
        at = clock_time(event.at, now)
        head: Spans = ((f"{at} ", "muted"), (fit(passed, 7, ">") + "  ", "faint"), (word, tone))
        used = len(at) + 10 + len(word) + 2
        if not text:
            yield head
        elif used + 30 <= width or used + len(text) <= width:
            first, *rest = wrap(text, width - used)
            yield (*head, ("  " + first, "text"))
            yield from (((" " * used + line, "text"),) for line in rest)
        else:
            yield head
            yield from ((("  " + line, "text"),) for line in wrap(text, width - 2))


def _told(event: Event) -> tuple[str, str]:
    data = event.data
    if event.kind is Kind.JOB_RETRY:
        if data.get("early"):
            return "told to run now", "text"
        if data.get("by_hand"):
            return "retried by hand", "text"
        if data.get("snoozed"):
            return "put off", "later"
        if data.get("released"):
            return "given back", "warn"
        if not data.get("error"):  # an undo, or its flow was resumed
            return "waits again", "text"
        return "failed, will retry", "warn"
    return _TOLD.get(event.kind, (event.kind.value.removeprefix("job_").replace("_", " "), "text"))


def _details(event: Event) -> str:
    data = event.data
    parts = []
    if event.kind is Kind.JOB_STARTED:
        parts.append(f"attempt {data.get('attempt', '?')}")
        if data.get("worker"):
            parts.append(f"by {str(data['worker'])[-10:].lower()}")
    if event.kind is Kind.JOB_RETRY and data.get("delay_s") and not data.get("by_hand"):
        parts.append(f"in {short(float(data['delay_s']))}")
    if data.get("error"):
        parts.append(f"{data['error']}: {data.get('message', '')}")
    elif data.get("message") and not data.get("by_hand"):
        parts.append(str(data["message"]))
    return clean(", ".join(parts))
