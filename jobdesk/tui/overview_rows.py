"""What the panes of the first screen say. Pure functions from the snapshot to rows and lines."""

from dataclasses import dataclass

from jobdesk.core.durations import short
from jobdesk.core.job import DEAD, Job, State
from jobdesk.core.subject import subject
from jobdesk.desk import Desk
from jobdesk.ledger import folders, glance, reads
from jobdesk.ledger.glance import ErrorGroup
from jobdesk.ledger.reads import Queue
from jobdesk.tui.activity import Rates
from jobdesk.tui.format import Spans, ago, bar, brief, clean, count_of, number, spark, state, whole
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.widgets.listing import Item

_RUNNING, _FINISHED, _GROUPS = 50, 50, 20


@dataclass(frozen=True, slots=True)
class Glance:
    """What this screen reads besides the counts."""

    running: tuple[Job, ...] = ()
    finished: tuple[Job, ...] = ()
    groups: tuple[ErrorGroup, ...] = ()
    rejected: int = 0
    duplicates: int = 0


class OverviewReader:
    """Reads a Glance on the database thread; error groups only when the dead letters changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._dead = (-1, -1)
        self._groups: tuple[ErrorGroup, ...] = ()

    def read(self) -> Glance:
        ledger = self._desk.ledger
        dead = glance.dead_letters(ledger)
        if dead != self._dead:
            self._dead, self._groups = dead, tuple(glance.error_groups(ledger, _GROUPS))
        return Glance(
            running=tuple(reads.processing(ledger, _RUNNING)),
            finished=tuple(reads.finished(ledger, _FINISHED)),
            groups=self._groups,
            rejected=sum(int(one["rejected"]) for one in folders.statuses(ledger).values()),
        )


def group_query(group: ErrorGroup) -> str:
    """The query that finds the jobs of a group."""
    if group.fingerprint is None:
        return f"state:failed,expired type:{group.job_type}"
    return f"state:failed,expired fingerprint:{group.fingerprint}"


def telling(queues: tuple[Queue, ...]) -> list[Queue]:
    """Queues that hold anything or are paused; the fullest first, by orders of magnitude, so that they seldom move."""
    some = [queue for queue in queues if queue.paused_at is not None or any(queue.counts.values())]
    return sorted(some, key=lambda queue: (-_magnitude(queue), queue.name))


def _magnitude(queue: Queue) -> int:
    waiting = queue.counts[State.PENDING] + queue.later
    return len(str(waiting)) if waiting >= 10 else 0


def _count(value: int, tone: str, glyphs: Glyphs) -> Spans:
    return ((brief(value), tone),) if value else (("0", "faint"),)


def queue_item(queue: Queue, rates: Rates, glyphs: Glyphs) -> Item:
    paused = f" {glyphs.paused} paused" if queue.paused_at is not None else ""
    p95 = dict(rates.queue_p95_s).get(queue.name)
    return Item(
        queue.name,
        queue,
        {
            "queue": ((clean(queue.name), "text"), (paused, "warn")),
            "ready": _count(queue.counts[State.PENDING], "text", glyphs),
            "run": _count(queue.counts[State.PROCESSING], "run", glyphs),
            "later": _count(queue.later, "later", glyphs),
            "dead": _count(queue.dead, "bad", glyphs),
            "p95": ((short(p95) if p95 is not None else glyphs.dash, "muted" if p95 is not None else "faint"),),
        },
    )


def hour(rates: Rates, width: int, height: int, glyphs: Glyphs) -> list[Spans]:
    """The chart of the last hour and its numbers, in the room there is."""
    if width < 20 or not rates.minutes:
        return []
    numbers: list[Spans] = [
        (
            (f"{glyphs.full} ", "chart"), (f"{number(rates.completed)} completed", "text"), ("   ", "text"),
            (f"{glyphs.full} ", "bad" if rates.failed else "faint"), (f"{number(rates.failed)} failed", "text"),
        ),
        (
            ("waits  ", "muted"), (f"half under {short(rates.waited_p50_s)}, ", "text"),
            (f"95% under {short(rates.waited_p95_s)}", "text"),
        ),
        (
            ("takes  ", "muted"), (f"half under {short(rates.took_p50_s)}, ", "text"),
            (f"95% under {short(rates.took_p95_s)}", "text"),
        ),
    ]  # fmt: skip
    if not rates.completed + rates.failed:
        return [(("No job has ended in the last hour.", "muted"),)]
    rows = max(1, min(8, height - len(numbers) - 2))
    failed_row = bool(rates.failed) and height > len(numbers) + 2
    per = max(1, min(3, (width - 2) // len(rates.minutes)))
    minutes = rates.minutes[-((width - 2) // per) :]
    chart = [
        (("".join(letter * per for letter in line), "chart"),)
        for line in spark([done for done, _ in minutes], glyphs, rows=rows)
    ]
    lines: list[Spans] = [*chart]
    if failed_row:
        lines.append((("".join(c * per for c in spark([bad for _, bad in minutes], glyphs)[0]), "bad"),))
    span = f"{len(minutes)} minutes ago"
    axis = span + " " * max(1, len(minutes) * per - len(span) - 3) + "now"
    lines.append(((axis, "muted"),))
    return (lines + numbers)[: max(1, height)] if height >= 6 else numbers[:height]


def run_item(job: Job, now: float, glyphs: Glyphs) -> Item:
    done, started = job.progress, job.started_at or now
    passed = max(0.0, now - started)
    share = done.percent / 100 if done is not None and done.percent is not None else None
    left = passed / share * (1 - share) if share is not None and share >= 0.05 and share < 1 and passed >= 2 else None
    stopping = job.cancel_requested_at is not None
    return Item(
        job.id,
        job,
        {
            "type": ((f"{glyphs.states[State.PROCESSING]} ", "run"), (clean(job.type), "text")),
            "subject": ((subject(job.data), "muted"),),
            "bar": (*bar(share, 16, glyphs), (f" {share * 100:>3.0f}%", "text")) if share is not None else (),
            "said": (("stopping", "warn"),) if stopping else ((clean(done.message or "") if done else "", "muted"),),
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
            "state": state(job.state, glyphs),
            "type": ((clean(job.type), "text"),),
            "subject": about,
            "took": ((short(took / 1000) if took is not None and job.started_at else glyphs.dash, "muted"),),
            "ago": ((ago(job.finished_at, now), "muted"),),
        },
    )


def needs_items(seen: Glance, queues: tuple[Queue, ...], now: float, glyphs: Glyphs) -> list[Item]:
    items = []
    for group in seen.groups:
        count: Spans = (
            (f"{glyphs.states[State.FAILED]} {brief(group.count)} {'job' if group.count == 1 else 'jobs'}", "bad"),
        )
        what: Spans = (
            (f"{clean(group.job_type)}: ", "text"),
            (
                clean(f"{group.error_type}: {group.message}" if group.error_type != "Expired" else group.message),
                "muted",
            ),
        )
        items.append(
            Item(
                group.fingerprint or group.error_type,
                group,
                {"count": count, "what": what, "ago": ((ago(group.last_at, now), "muted"),)},
            )
        )
    for queue in queues:
        waiting = queue.counts[State.PENDING]
        if queue.paused_at is not None and waiting:
            what = ((f"{clean(queue.name)} is paused", "text"),)
            count = ((f"{glyphs.paused} {brief(waiting)} wait", "warn"),)
            items.append(
                Item(
                    "queue " + queue.name,
                    queue,
                    {"count": count, "what": what, "ago": ((ago(queue.paused_at, now), "muted"),)},
                )
            )
    if seen.rejected:
        what = (("rejected from a drop folder", "warn"), (", see 3 Folders", "muted"))
        count = ((f"{glyphs.alert} {count_of(seen.rejected, 'file')}", "warn"),)
        items.append(Item("rejected", "rejected", {"count": count, "what": what}))
    return items
