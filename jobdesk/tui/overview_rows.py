"""What the panes of the first screen say. Pure functions from the snapshot to rows and lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobdesk.core.alert import Alert, Measure, Severity
from jobdesk.core.durations import short
from jobdesk.core.job import DEAD, Job, State
from jobdesk.core.subject import subject
from jobdesk.desk import Desk
from jobdesk.ledger import alerts, folders, glance, reads, rollups
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.ledger.reads import Queue
from jobdesk.tui.activity import Rates
from jobdesk.tui.format import Spans, ago, bar, brief, clean, count_of, number, spark, whole
from jobdesk.tui.glyphs import TONES, Glyphs
from jobdesk.tui.widgets.listing import Item

_RUNNING, _FINISHED, _GROUPS = 50, 50, 20
_SPANS = (10, 20)
LATELY = 10
"""Minutes of a queue's sparkline."""
_LATELY_S = 1.0
"""How often those are read."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What this screen reads besides the counts."""

    running: tuple[Job, ...] = ()
    finished: tuple[Job, ...] = ()
    groups: tuple[ErrorGroup, ...] = ()
    alerts: tuple[Alert, ...] = ()
    """Those that nobody has acknowledged yet, but for those of dead letters: their groups say more."""
    lately: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)
    """Jobs of a queue that ended in each of the last minutes, the current one last. They go by on a desk at rest too;
    whoever compares takes the rates, which change with them."""
    rejected: int = 0
    duplicates: int = 0


class OverviewReader:
    """Reads a Glance on the database thread; error groups only when the dead letters changed."""

    def __init__(self, desk: Desk, *, hurries: bool = False) -> None:
        """`hurries`: the first read is for the first frame and leaves out alerts, whose rules stand in the settings."""
        self._desk = desk
        self._dead = (-1, -1)
        self._groups: tuple[ErrorGroup, ...] = ()
        self._lately: Mapping[str, tuple[int, ...]] = {}
        self._lately_at = float("-inf")
        self._hurries = hurries

    def read(self) -> Glance:
        ledger = self._desk.ledger
        dead = glance.dead_letters(ledger)
        if dead != self._dead:
            self._dead, self._groups = dead, tuple(glance.error_groups(ledger, _GROUPS))
        return Glance(
            running=tuple(reads.processing(ledger, _RUNNING)),
            finished=tuple(reads.finished(ledger, _FINISHED)),
            groups=self._groups,
            alerts=self._alerts(),
            lately=self._ended_lately(),
            rejected=sum(int(one["rejected"]) for one in folders.statuses(ledger).values()),
        )

    def _alerts(self) -> tuple[Alert, ...]:
        active = [one for one in alerts.open_alerts(self._desk.ledger, self._desk.clock.now()) if one.state == "active"]
        hurried, self._hurries = self._hurries, False
        if not active or hurried:
            return ()
        told = {rule.name for rule in self._desk.alert_watch().rules if rule.measure is Measure.DEAD_LETTERS}
        return tuple(one for one in active if one.rule not in told)

    def _ended_lately(self) -> Mapping[str, tuple[int, ...]]:
        clock = self._desk.clock
        if clock.monotonic() - self._lately_at >= _LATELY_S:
            self._lately_at, last = clock.monotonic(), int(clock.now() // 60)
            ended = rollups.minutes_by_queue(self._desk.ledger, last - LATELY + 1)
            self._lately = {
                queue: tuple(counts.get(at, 0) for at in range(last - LATELY + 1, last + 1))
                for queue, counts in ended.items()
            }
        return self._lately


def group_query(group: ErrorGroup) -> str:
    """The query that finds the jobs of a group."""
    if group.fingerprint is None:
        return f"state:failed,expired type:{group.job_type}"
    return f"state:failed,expired fingerprint:{group.fingerprint}"


def telling(queues: tuple[Queue, ...]) -> list[Queue]:
    """Queues that hold anything or are paused: first those that need somebody, then the fullest by orders of magnitude.

    Neither changes often, so that rows seldom move.
    """
    some = [queue for queue in queues if queue.paused_at is not None or any(queue.counts.values())]
    return sorted(some, key=lambda queue: (queue.paused_at is None and not queue.dead, -_magnitude(queue), queue.name))


def _magnitude(queue: Queue) -> int:
    waiting = queue.counts[State.PENDING] + queue.later
    return len(str(waiting)) if waiting >= 10 else 0


def _count(value: int, tone: str, glyphs: Glyphs, cells: int = 5) -> Spans:
    return ((brief(value, cells), tone),) if value else (("0", "faint"),)


def queue_item(queue: Queue, rates: Rates, lately: Sequence[int], glyphs: Glyphs) -> Item:
    paused = f" {glyphs.paused}" if queue.paused_at is not None else ""
    p95 = dict(rates.queue_p95_s).get(queue.name)
    return Item(
        queue.name,
        queue,
        {
            "queue": ((clean(queue.name), "text"), (paused, "warn")),
            "ready": _count(queue.counts[State.PENDING], "text", glyphs),
            "run": _count(queue.counts[State.PROCESSING], "run", glyphs),
            "later": _count(queue.later, "later", glyphs),
            "dead": _count(queue.dead, "bad", glyphs, 4),
            "lately": ((spark(lately, glyphs)[0], "chart"),),
            "p95": ((short(p95) if p95 is not None else glyphs.dash, "muted" if p95 is not None else "faint"),),
        },
    )


def hour(rates: Rates, width: int, height: int, glyphs: Glyphs) -> list[Spans]:
    """The chart of the last hour and its numbers, in the room there is."""
    if width < 20 or not rates.minutes:
        return []
    if not rates.completed + rates.failed:
        return [((" No job has ended in the last hour.", "muted"),)]
    numbers: list[Spans] = [
        (
            (f" {glyphs.full} ", "chart"), (f"{number(rates.completed)} completed", "text"), ("   ", "text"),
            (f"{glyphs.full} ", "bad" if rates.failed else "faint"),
            (f"{number(rates.failed)} failed", "text" if rates.failed else "muted"),
        ),
        _spans_line("waited", rates.waited_p50_s, rates.waited_p95_s),
        _spans_line("ran", rates.took_p50_s, rates.took_p95_s),
    ]  # fmt: skip
    if height < 6:
        return numbers[:height]
    minutes, per = _in_view(rates, width)
    rows = max(1, min(8, height - len(numbers) - 1 - bool(rates.failed)))
    lines: list[Spans] = [
        ((_wide(line, per), "chart"),) for line in spark([done for done, _ in minutes], glyphs, rows=rows)
    ]
    if rates.failed and rows + 1 + len(numbers) < height:
        lines.append(((_wide(spark([bad for _, bad in minutes], glyphs)[0], per), "bad"),))
    lines.append(((_axis(len(minutes), per), "muted"),))
    return lines + numbers


def span_of(rates: Rates) -> int:
    """Minutes that the chart shows: an hour, or fewer as long as nothing ended before."""
    ended = next((at for at, (done, bad) in enumerate(rates.minutes) if done or bad), 0)
    return next((span for span in _SPANS if len(rates.minutes) - ended <= span), len(rates.minutes))


def _in_view(rates: Rates, width: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """The minutes of the chart, as many as there is room for, and how many cells each gets."""
    span = span_of(rates)
    per = max(1, min(6, width // span))
    return rates.minutes[-min(span, width // per) :], per


def _wide(line: str, per: int) -> str:
    """Columns of `per` cells each, with a gap where there is room for one."""
    return "".join(letter * (per - 1) + " " if per > 2 else letter * per for letter in line)


def _axis(minutes: int, per: int) -> str:
    """Minutes ago below their columns: -60m, -45m, -30m, -15m, now."""
    line, step = [" "] * (minutes * per), 15 if minutes > 30 else 5
    for mark in range(step, minutes + 1, step):
        at, text = (minutes - mark) * per, f"-{mark}m"
        line[at : at + len(text)] = text
    line[-3:] = "now"
    return "".join(line)


def _spans_line(word: str, half_s: float | None, most_s: float | None) -> Spans:
    return (
        (f" {word:<8}", "muted"), ("half under ", "muted"), (f"{short(half_s):<8}", "text"),
        ("95% under ", "muted"), (short(most_s), "text"),
    )  # fmt: skip


def run_item(job: Job, paused: bool, now: float, glyphs: Glyphs) -> Item:
    done, started = job.progress, job.started_at or now
    passed = max(0.0, now - started)
    share = done.percent / 100 if done is not None and done.percent is not None else None
    left = passed / share * (1 - share) if share is not None and share >= 0.05 and share < 1 and passed >= 2 else None
    said: Spans = ((clean(done.message or "") if done else "", "muted"),)
    if job.cancel_requested_at is not None:
        said = (("stopping", "warn"),)
    elif paused:
        said, left = ((f"{glyphs.paused} paused", "warn"),), None
    return Item(
        job.id,
        job,
        {
            "type": ((f"{glyphs.states[State.PROCESSING]} ", "run"), (clean(job.type), "text")),
            "subject": ((subject(job.data), "muted"),),
            "bar": (*bar(share, 16, glyphs), (f" {share * 100:>3.0f}%", "text")) if share is not None else (),
            "said": said,
            "took": ((whole(passed), "muted"),),
            "left": ((f"~{whole(left)} left" if left is not None else "", "muted"),),
        },
    )


def end_item(job: Job, now: float, glyphs: Glyphs) -> Item:
    took = job.processing_ms
    about: Spans = ((subject(job.data), "muted"),)
    if job.state in DEAD and job.error is not None:
        about = (
            (
                clean(f"{job.error.type}: {job.error.message}" if job.state is State.FAILED else job.error.message),
                "bad",
            ),
        )
    return Item(
        job.id,
        job,
        {
            "sign": ((glyphs.states[job.state], TONES[job.state]),),
            "state": ((job.state.value, TONES[job.state]),),
            "type": ((clean(job.type), "text"),),
            "subject": about,
            "took": ((short(took / 1000) if took is not None and job.started_at else glyphs.dash, "muted"),),
            "ago": ((ago(job.finished_at, now), "muted"),),
        },
    )


def needs_items(seen: Glance, queues: tuple[Queue, ...], now: float, glyphs: Glyphs) -> list[Item]:
    """What somebody should look at: alerts, dead letters by error, paused queues with work in them, rejected files."""
    items = []
    for one in seen.alerts:
        tone = "bad" if one.severity is Severity.ERROR else "warn"
        passed = ago(one.raised_at, now)
        items.append(_need(f"alert {one.id}", one, (f"{glyphs.alert} alert", tone), one.rule, one.message, passed))
    for group in seen.groups:
        why = group.message if group.error_type == "Expired" else f"{group.error_type}: {group.message}"
        count = f"{glyphs.states[State.FAILED]} {brief(group.count)} {'job' if group.count == 1 else 'jobs'}"
        key = group.fingerprint or group.error_type
        items.append(_need(key, group, (count, "bad"), group.job_type, why, ago(group.last_at, now)))
    for queue in queues:
        waiting = queue.counts[State.PENDING]
        if queue.paused_at is not None and waiting:
            count = f"{glyphs.paused} {brief(waiting)} {'waits' if waiting == 1 else 'wait'}"
            passed = ago(queue.paused_at, now)
            items.append(
                _need("queue " + queue.name, queue, (count, "warn"), queue.name, "is paused: p resumes it", passed)
            )
    if seen.rejected:
        count = f"{glyphs.alert} {count_of(seen.rejected, 'file')}"
        items.append(_need("rejected", "rejected", (count, "warn"), "drop folder", "rejected: enter says why", ""))
    return items


def _need(key: str, value: object, count: tuple[str, str], what: str, why: str, passed: str) -> Item:
    cells = {
        "count": (count,),
        "what": ((clean(what), "text"),),
        "why": ((clean(why), "muted"),),
        "ago": ((passed, "muted"),),
    }
    return Item(key, value, cells)
