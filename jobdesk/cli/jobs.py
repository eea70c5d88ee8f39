"""`jobdesk jobs`: list, show, logs, history, why, wait, and what changes them."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli import acting, editing, speaking
from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, state_tone
from jobdesk.cli.parsing import Args, Group, Parser, duration, number, past
from jobdesk.core.errors import UsageError
from jobdesk.core.levels import LEVELS

if TYPE_CHECKING:
    from jobdesk.core.events import Event
    from jobdesk.core.job import Job

QUERY_HELP = """
A query is words joined by spaces (all must fit); -word means not:
  state:failed,expired  queue:upload.*  type:IMAGE_*  priority:high  user:ada  age:>1h  took:>30s
  attempt:>1  data.path:*.heic  result.width:>4000  error:Timeout  id:job_01J  flow:ID  -state:completed
  text:sunset  text:thumb*  text:"two words"   words of payload and error
Bare words are looked for in type, id (its beginning or end) and error."""
_LIST_MORE = (
    QUERY_HELP
    + """

With --json it prints an array; where there are more, a terminal is told the token for --page."""
)
COLUMNS = (
    Column("id"),
    Column("state", tone=state_tone),
    Column("type", least=16),
    Column("queue", least=14, drop=3),
    Column("try", right=True, drop=4),
    Column("created", right=True, drop=2),
    Column("took", right=True, drop=5),
    Column("about", least=14, drop=1),
)


def add(commands: Group) -> None:
    noun = commands.noun("jobs", "look at jobs and act on them")
    listing = noun.command("list", "jobs that match a query, newest first", listed, rest="query", more=_LIST_MORE)
    add_listing(listing)
    show = noun.command("show", "everything about a job", _show)
    show.add_argument("id", metavar="ID", help="its id or a unique beginning of it")
    logs = noun.command("logs", "what a job wrote", _logs)
    logs.add_argument("id", metavar="ID")
    logs.add_argument("--follow", action="store_true", help="until it has ended")
    add_log_filters(logs)
    history = noun.command("history", "what happened to a job", _history)
    history.add_argument("id", metavar="ID")
    why = noun.command("why", "why a job does not run yet", _why)
    why.add_argument("id", metavar="ID")
    wait = noun.command("wait", "block until jobs have ended; exits 3 if one failed", _wait, rest="ids")
    wait.add_argument("ids", metavar="ID", nargs="+")
    wait.add_argument("--timeout", type=duration, metavar="60s", help="give up then (exit code 1)")
    watch = noun.command("watch", "follow a job until it has ended; exits 3 if it failed", _watch)
    watch.add_argument("id", metavar="ID")
    acting.add(noun)
    editing.add(noun)
    speaking.add(noun)


def add_log_filters(parser: Parser) -> None:
    """The arguments that say which lines of a log."""
    parser.add_argument("--level", choices=LEVELS, help="no less important ones")
    parser.add_argument("--since", type=past, metavar="10m|TIME", help="no older ones")


def add_listing(parser: Parser) -> None:
    """The arguments of a list of jobs."""
    parser.add_argument("query", metavar="QUERY", nargs="*", help="which jobs")
    parser.add_argument("--limit", type=number(1), default=50, metavar="N", help="at most so many (default: 50)")
    parser.add_argument("--page", metavar="TOKEN", help="go on where the page before ended")


def listed(args: Args, out: Out) -> None:
    """Print a page of jobs."""
    list_jobs(args, out, " ".join(args.query))


def list_jobs(args: Args, out: Out, query: str) -> None:
    """Print the page of jobs that `--limit` and `--page` ask for."""
    with opened(args) as desk:
        page = desk.jobs(query, limit=args.limit, page=args.page)
        if out.json:
            out.document([job.to_json() for job in page.jobs])
        else:
            now = desk.clock.now()
            out.table(COLUMNS, [_row(job, out, now) for job in page.jobs])
        if not page.jobs:
            out.note("no job matches" if query else "no jobs yet: `jobdesk submit`, or drop a picture into the inbox")
        elif page.next:
            out.note(f"there are more: --page {page.next}")


def _row(job: "Job", out: Out, now: float) -> list[str]:
    from jobdesk.core.durations import short
    from jobdesk.core.subject import subject

    took = job.processing_ms
    return [
        job.id,
        out.state(job.state),
        job.type,
        job.queue,
        f"{job.attempt}/{job.max_attempts}",
        out.when(job.created_at, now),
        out.nothing if took is None else short(took / 1000) if out.terminal else str(took),
        (f"{job.label}: " if job.label else "")
        + ((f"{job.error.type}: {job.error.message}" if job.error else "") or _progress(job) or subject(job.data)),
    ]


def _progress(job: "Job") -> str:
    if job.progress is None or job.state != "processing":
        return ""
    percent = job.progress.percent
    return " ".join(part for part in ("" if percent is None else f"{percent:g}%", job.progress.message or "") if part)


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        job = desk.job(args.id)
        if out.json:
            out.document(job.to_json())
            return
        from jobdesk.cli.job_page import show

        show(desk, job, out)


def _logs(args: Args, out: Out) -> None:
    with opened(args) as desk:
        lines = desk.logs(args.id, follow=args.follow, level=args.level, since=args.since)
        if out.json and not args.follow:
            out.document([event.to_json() for event in lines])
            return
        seen = False
        for event in lines:
            seen = True
            if out.json:
                out.record(event.to_json())
            else:
                out.line(_log_line(event, out), flush=args.follow)
        if not seen:
            out.note("it wrote nothing" if args.follow else "it has written nothing yet")


def _log_line(event: "Event", out: Out) -> str:
    from jobdesk.cli.output import coloured, plain
    from jobdesk.core.text import without_colours

    raw = str(event.data.get("message", ""))
    message = coloured(raw) if out.colour else plain(without_colours(raw))
    if not out.terminal:
        return message
    level = str(event.data.get("level", "info"))
    tone = {"error": "bad", "warning": "warn", "debug": "faint"}.get(level, "")
    return f"{out.paint(out.clock_time(event.at), 'faint')}  {out.paint(message, tone)}"


def _history(args: Args, out: Out) -> None:
    with opened(args) as desk:
        events = list(desk.events(job=args.id))
        if out.json:
            out.document([event.to_json() for event in events])
            return
        from jobdesk.cli.events import COLUMNS as EVENTS
        from jobdesk.cli.events import row

        out.table(EVENTS[:2] + EVENTS[4:], [(*(cells := row(event, out))[:2], cells[4]) for event in events])


def _why(args: Args, out: Out) -> None:
    with opened(args) as desk:
        job = desk.job(args.id)
        said = desk.why(job.id)
        if out.json:
            out.document({"id": job.id, "state": job.state.value, "why": said})
            return
        from jobdesk.cli.output import plain

        for sentence in said:
            out.line(plain(sentence))


def _watch(args: Args, out: Out) -> int:
    from jobdesk.cli.submit import report

    with opened(args) as desk:
        id_ = desk.full_id(args.id)
        desk.wake.listen()
        for said in desk.watch(id_):
            if out.json:
                out.record(said)
            elif said["type"] != "connected":
                out.line(_watch_line(said, out, desk.clock.now()), flush=True)
            if said["type"] == "error":
                return 4
        return report([desk.job(id_)], out)


def _watch_line(said: dict[str, Any], out: Out, now: float) -> str:
    from jobdesk.cli.output import plain

    percent = said.get("progress")
    parts = (
        out.clock_time(now),
        out.state(said.get("status", said["type"])),
        "" if percent is None else f"{percent:g}%",
        plain(said.get("message") or ""),
    )
    return ("  " if out.terminal else "\t").join(part for part in parts if part)


def _wait(args: Args, out: Out) -> int:
    from jobdesk.cli.submit import remind, report

    if not args.ids:
        raise UsageError("say which jobs to wait for")
    with opened(args) as desk:
        wanted = [desk.full_id(id_) for id_ in args.ids]
        remind(desk, out)
        desk.wait(*wanted, timeout=args.timeout)
        jobs = [desk.job(id_) for id_ in wanted]
        if out.json:
            out.document([job.to_json() for job in jobs])
        else:
            out.table(
                (Column("id"), Column("state", tone=state_tone)), [(job.id, out.state(job.state)) for job in jobs]
            )
        return report(jobs, out)
