"""`jobdesk watch`: what goes on. On a terminal the app, read-only; on a pipe or with --plain lines of text."""

import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group

if TYPE_CHECKING:
    from jobdesk.cli.consumer import Signals
    from jobdesk.desk import Desk

LOOK_S = 1.0
COUNTS_S = 60.0
_MORE = """
On a terminal it is the app, read-only. On a pipe, with --plain or with --json it prints how things stand, then
a line for each job that starts or ends, each file taken in or rejected, each alert; and the counts, once a
minute if they changed. No colour, and the cursor never moves back: made for screen readers, logs and pipes.
Ctrl-C, SIGTERM or a reader that goes away ends it, with exit code 0."""


def add(commands: Group) -> None:
    parser = commands.command("watch", "what goes on, to look at only", _watch, more=_MORE)
    parser.add_argument("--plain", action="store_true", help="lines of text, also on a terminal")


def _watch(args: Args, out: Out) -> int:
    import sys

    if not (args.plain or out.json) and out.terminal and sys.stdin.isatty():
        from jobdesk.cli import app

        args.read_only = True
        return app.run(args, out)
    from jobdesk.cli.consumer import signals

    with signals() as hearing, opened(args) as desk:
        _tell(desk, out, hearing)
    return 0


def _tell(desk: "Desk", out: Out, hearing: "Signals") -> None:
    """Print what happens until a signal, or until nobody reads."""
    from jobdesk.ledger import glance

    seen, version = glance.newest_event(desk.ledger), desk.ledger.version()
    counts = _counts(desk)
    _say_how_it_stands(desk, out, counts)
    said_at = desk.clock.monotonic()
    poll = _poll(out, hearing)
    while not poll.poll(LOOK_S * 1000):
        now = desk.ledger.version()
        if now != version:
            version = now
            seen = _say_news(desk, out, seen)
        if desk.clock.monotonic() - said_at >= COUNTS_S:
            said_at = desk.clock.monotonic()
            if (found := _counts(desk)) != counts:
                counts = found
                _say_counts(desk, out, counts)
        out.stream.flush()


def _poll(out: Out, hearing: "Signals") -> select.poll:
    """Something to wait on for a signal, and for a reader that has gone."""
    poll = select.poll()
    poll.register(hearing.reader, select.POLLIN)
    with suppress(OSError, ValueError):  # it may be no file
        poll.register(out.stream.fileno(), 0)  # only hang-up and error wake it
    return poll


def _say_how_it_stands(desk: "Desk", out: Out, counts: dict[str, int]) -> None:
    from jobdesk.cli import telling
    from jobdesk.core.clock import iso
    from jobdesk.ledger import alerts

    now = desk.clock.now()
    workers = desk.consumers()
    wrong = [one for one in alerts.open_alerts(desk.ledger, now) if one.state == "active"]
    if out.json:
        out.record(
            {
                "at": iso(now), "event": "summary", "home": str(desk.home.path), "jobs": counts,
                "consumers": [{"pid": one.pid, "kind": one.kind, "workers": one.workers} for one in workers],
                "alerts": [one.message for one in wrong],
            }
        )  # fmt: skip
        return
    for line in telling.standing(str(desk.home.path), workers, counts, [one.message for one in wrong]):
        _line(out, line)
    out.stream.flush()


def _say_news(desk: "Desk", out: Out, seen: int) -> int:
    """Print what happened after the event `seen`; the newest event."""
    from jobdesk.cli import telling
    from jobdesk.ledger import reads

    while found := reads.events(desk.ledger, after=seen):
        seen = found[-1].id
        news = [event for event in found if event.kind in telling.NEWS]
        jobs = reads.jobs(desk.ledger, list({event.job_id for event in news if event.job_id}))
        if out.json:
            for event in news:
                out.record(event.to_json() | telling.about(jobs.get(event.job_id or "")))
        else:
            for at, said in telling.lines(news, jobs):
                _line(out, f"{out.clock_time(at)} {said}")
    return seen


def _say_counts(desk: "Desk", out: Out, counts: dict[str, int]) -> None:
    from jobdesk.cli import telling
    from jobdesk.core.clock import iso

    now = desk.clock.now()
    if out.json:
        record: dict[str, Any] = {"at": iso(now), "event": "counts", "jobs": counts}
        out.record(record)
    else:
        _line(out, f"{out.clock_time(now)} {telling.counted(counts)}")


def _line(out: Out, text: str) -> None:
    from jobdesk.cli.output import plain

    out.line(plain(text))


def _counts(desk: "Desk") -> dict[str, int]:
    """Jobs by state."""
    from jobdesk.core.job import State
    from jobdesk.ledger import reads

    queues = reads.queues(desk.ledger)
    return {state.value: sum(queue.counts[state] for queue in queues) for state in State}
