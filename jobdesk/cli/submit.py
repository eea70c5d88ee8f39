"""`jobdesk submit` and `jobdesk run`: from words to jobs."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, Parser, duration, number
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.core.job import Job
    from jobdesk.core.submission import Submission
    from jobdesk.desk import Desk

_SUBMIT_MORE = """
  jobdesk submit email to=ada@example.org subject=Hello
  jobdesk submit THUMBNAIL_GENERATE source=cat.jpg 'sizes=[128,256]' --priority high --wait
  jobdesk submit --batch jobs.ndjson        one {"type": …, "data": {…}} a line; all are stored or none

In a batch {"name": "a", …} is what lines below call a job: {"type": …, "after": ["a"]}.
key=value takes numbers, true, false, null, lists and objects as JSON, anything else as text;
key:=JSON is always JSON, key=@FILE the text of a file. `jobdesk processors list` shows the types."""
_RUN_MORE = """
  jobdesk run --timeout 10m -- rsync -a photos/ /backup/

Options of jobdesk stand before the command. What it prints is the job's log (`jobdesk jobs logs ID`)."""
_STDIN_BYTES = 1_000_000
_BATCH_KEYS = (
    "type", "data", "name", "queue", "priority", "delay", "at", "after", "on_parent_failure", "unique", "unique_for",
    "unique_states", "concurrency_key", "retries", "retry_delay", "backoff", "factor", "max_delay", "jitter",
    "timeout", "expires", "user", "label", "hold", "immediate",
)  # fmt: skip


def add(commands: Group) -> None:
    parser = commands.command("submit", "store a job; prints its id", _submit, rest="pairs", more=_SUBMIT_MORE)
    parser.add_argument("type", metavar="TYPE", nargs="?", help="the job type")
    parser.add_argument("pairs", metavar="key=value", nargs="*", help="the job's data")
    parser.add_argument("--data", metavar="JSON|@FILE|-", help="the job's data as a JSON object")
    parser.add_argument("--batch", metavar="FILE|-", help="NDJSON, one job a line, all or nothing; prints ids")
    _options(parser)
    runner = commands.command("run", "run a command as a job, without a shell", _run, more=_RUN_MORE)
    _options(runner, "--group")
    runner.add_argument("--env", metavar="NAME=VALUE", action="append", default=[], help="a variable; several times")
    runner.add_argument("--stdin", metavar="FILE|-", help="what it reads as its standard input (default: nothing)")
    runner.add_argument("--stdin-open", action="store_true", help="it reads what `jobdesk jobs send` gives it")
    runner.add_argument("--nice", type=number(), default=0, metavar="0-19", help="step back behind other programs")
    runner.add_argument("--cwd", metavar="DIR", help="where it runs (default: here)")
    runner.add_argument("command", metavar="-- COMMAND ARG…", nargs="...", help="the command and its arguments")


def _options(parser: Parser, *queue: str) -> None:
    """Options of a submission; `queue` are further names of --queue."""
    parser.add_argument("--queue", *queue, metavar="Q", help="its queue (default: the type's)")
    parser.add_argument("--priority", metavar="P", help="urgent, high, normal, low or 0-100")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--delay", type=duration, metavar="5s", help="start it that much later")
    when.add_argument("--at", metavar="ISO", help="start it then, like 2026-01-31T18:00")
    parser.add_argument("--after", nargs="+", action="extend", metavar="JOB", help="only when these have completed")
    parser.add_argument(
        "--on-parent-failure", choices=("cancel", "ignore"), default="cancel",
        help="what becomes of it when one of --after does not complete (default: cancel)",
    )  # fmt: skip
    parser.add_argument("--unique", metavar="KEY", help="store none while one with this key is in flight")
    parser.add_argument("--unique-for", type=duration, metavar="10m", help="also if one ended that lately")
    parser.add_argument(
        "--unique-states", metavar="A,B", help="which states count (default: in flight; with --unique-for all)"
    )
    parser.add_argument("--concurrency-key", metavar="KEY", help="run no two jobs with this key at once")
    parser.add_argument("--retries", type=number(), metavar="N", help="further attempts after the first fails")
    parser.add_argument("--retry-delay", type=duration, metavar="5s", help="wait after the first failed attempt")
    parser.add_argument("--backoff", choices=("fixed", "linear", "exponential"), help="how that wait grows")
    parser.add_argument("--factor", type=float, metavar="2", help="by what it grows, if exponential")
    parser.add_argument("--max-delay", type=duration, metavar="1h", help="what it never exceeds")
    parser.add_argument("--jitter", type=float, metavar="0-1", help="up to which share of it is taken off by chance")
    parser.add_argument("--timeout", type=duration, metavar="2m", help="of one attempt")
    parser.add_argument("--expires", type=duration, metavar="1h", help="give up if it has not started by then")
    parser.add_argument("--user", metavar="NAME", help="for whom (default: you)")
    parser.add_argument("--label", metavar="TEXT", help="a word or line to find it by (label:TEXT)")
    parser.add_argument("--hold", action="store_true", help="let it wait until `jobdesk jobs release`")
    parser.add_argument(
        "--immediate", action="store_true", help="before all that waits, urgent too: the next free worker takes it"
    )
    parser.add_argument(
        "--wait-for-room", type=duration, metavar="30s", help="if the queue is full (max_size), wait that long for room"
    )
    parser.add_argument("--wait", action="store_true", help="until it has ended; exits 3 if it failed")


def _submit(args: Args, out: Out) -> int:
    after, pairs = _without_pairs(args)
    if args.batch is not None:
        if args.type is not None or args.data is not None:
            raise UsageError("--batch brings types and data itself: leave TYPE, key=value and --data out")
        return _submit_batch(args, out)
    if args.type is None:
        raise UsageError("say which job type to submit: see `jobdesk processors list`")
    from jobdesk.cli.payload import data_of, merged

    data = data_of(args.data)
    with opened(args) as desk:
        schema = desk.registry.get(args.type).schema() if pairs else {}
        wanted = _submission(args, args.type, merged(data, pairs, schema), after)
        return _store(desk, wanted, args, out)


def _run(args: Args, out: Out) -> int:
    argv = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not argv:
        raise UsageError("say what to run: jobdesk run -- COMMAND ARG…")
    if args.command[0] != "--" and argv[0].startswith("-"):
        raise UsageError(f"'{argv[0]}' is not an option of `jobdesk run`: see `jobdesk run --help`")
    from pathlib import Path

    cwd = Path(args.cwd or ".").expanduser().absolute()
    if not cwd.is_dir():
        raise UsageError(f"{cwd} is not a folder: choose another --cwd")
    with opened(args) as desk:
        after = [part for word in args.after or () for part in word.split(",") if part]
        if args.stdin_open and args.stdin is not None:
            raise UsageError("--stdin and --stdin-open are two ways to say what it reads: give one of them")
        given = {"stdin_open": True} if args.stdin_open else _stdin(args.stdin)
        data = {"argv": argv, "cwd": str(cwd), "env": _environment(args.env), "nice": args.nice, **given}
        return _store(desk, _submission(args, "command", data, after), args, out)


def _environment(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[1] or pair.startswith("="):
            raise UsageError(f"'{pair}' is not a variable: write it --env NAME=VALUE")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _stdin(wanted: str | None) -> dict[str, Any]:
    """What the command reads: a file, read when it runs; or what this command is given, stored with the job."""
    if wanted is None:
        return {}
    if wanted != "-":
        from jobdesk.cli.payload import check_file

        return {"stdin_file": check_file(wanted)}
    raw = sys.stdin.buffer.read(_STDIN_BYTES + 1)
    if len(raw) > _STDIN_BYTES:
        raise UsageError(f"standard input is longer than {_STDIN_BYTES:,} bytes: put it into a file, --stdin FILE")
    try:
        return {"stdin": raw.decode()}
    except UnicodeDecodeError:
        raise UsageError(
            "standard input is no text, as a job's data must be: put it into a file, --stdin FILE"
        ) from None


def _without_pairs(args: Args) -> tuple[list[str], list[str]]:
    """--after takes every word behind it; those with an equals sign are data."""
    after = [word for word in args.after or () if "=" not in word]
    pairs = [*args.pairs, *(word for word in args.after or () if "=" in word)]
    return [part for word in after for part in word.split(",") if part], pairs


def _submission(args: Args, type_: str, data: dict[str, Any], after: list[str]) -> "Submission":
    from jobdesk.core.submission import Submission

    return Submission(
        type=type_,
        data=data,
        queue=args.queue,
        priority=args.priority,
        delay=args.delay,
        run_at=None if args.at is None else _instant(args.at),
        after=after,
        on_parent_failure=args.on_parent_failure,
        unique=args.unique,
        concurrency_key=args.concurrency_key,
        unique_for=args.unique_for,
        unique_states=tuple(word.strip() for word in (args.unique_states or "").split(",") if word.strip()),
        retries=args.retries,
        retry_delay=args.retry_delay,
        backoff=args.backoff,
        factor=args.factor,
        max_delay=args.max_delay,
        jitter=args.jitter,
        timeout=args.timeout,
        expires=args.expires,
        user=args.user,
        label=args.label,
        hold=args.hold,
        immediate=args.immediate,
        source="command",
    )


def _instant(text: str) -> float:
    from jobdesk.core.clock import instant

    try:
        return instant(text)
    except ValueError:
        raise UsageError(f"'{text}' is not an instant: write it like 2026-01-31T18:00 or 2026-01-31T18:00Z") from None


def _store(desk: "Desk", wanted: "Submission", args: Args, out: Out) -> int:
    from dataclasses import replace

    from jobdesk.core.ids import ids

    wanted = replace(wanted, id=ids.new("job", desk.clock.now()))
    (id_,) = desk.submit_batch([wanted], wait_for_room=args.wait_for_room)
    if id_ != wanted.id:
        out.errors.write(
            f"jobdesk: {id_} has the unique key '{desk.job(id_).unique}' already: nothing new was stored\n"
        )
    if not args.wait:
        if out.json:
            out.document(desk.job(id_).to_json())
        else:
            out.line(id_)
        return 0
    if not out.json:
        out.line(id_, flush=True)
    remind(desk, out)
    job = desk.wait(id_)
    if out.json:
        out.document(job.to_json())
    return report([job], out)


def remind(desk: "Desk", out: Out) -> None:
    """Tell somebody who waits that nobody works."""
    if not desk.consumers():
        out.note("no consumer works on this home: start one with `jobdesk --consumer`, or open `jobdesk`")


def report(jobs: "list[Job]", out: Out) -> int:
    """Say which of the awaited jobs did not complete; the exit code: 3 dead letters, 1 cancelled, 0 fine."""
    code = 0
    for job in jobs:
        if job.state == "completed":
            continue
        dead = job.state in ("failed", "expired")
        code = 3 if dead else (code or 1)
        if not out.json:
            why = f": {job.error.type}: {job.error.message}" if job.error else ""
            from jobdesk.cli.output import plain

            out.stream.flush()
            out.errors.write(f"jobdesk: {job.type} {job.id} is {job.state}{plain(why)}\n")
    return code


def _submit_batch(args: Args, out: Out) -> int:
    from jobdesk.cli.payload import read_file

    text = sys.stdin.read() if args.batch == "-" else read_file(args.batch)
    where = "standard input" if args.batch == "-" else args.batch
    wanted = list(_batch(text, where))
    if not wanted:
        raise UsageError(f"{where} holds no job: write one JSON object a line")
    with opened(args) as desk:
        made = desk.submit_batch(wanted, wait_for_room=args.wait_for_room)
        if out.json and not args.wait:
            out.document([{"id": id_} for id_ in made])
        elif not out.json:
            for id_ in made:
                out.line(id_)
            out.stream.flush()
        if not args.wait:
            return 0
        remind(desk, out)
        desk.wait(*made)
        jobs = [desk.job(id_) for id_ in made]
        if out.json:
            out.document([job.to_json() for job in jobs])
        return report(jobs, out)


def _batch(text: str, where: str) -> "Iterator[Submission]":
    import json

    from jobdesk.core.nearest import nearest
    from jobdesk.core.submission import Submission

    for at, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{where}, line {at}"
        try:
            found = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{place} is not JSON: {error}") from None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise UsageError(f'{place}: a job is an object with a type, like {{"type": "email", "data": {{}}}}')
        for key in found:
            if key not in _BATCH_KEYS:
                raise UsageError(f"{place}: '{key}' is not a key of a job{nearest(key, _BATCH_KEYS)}")
        if not isinstance(found.get("data", {}), dict):
            raise UsageError(f"{place}: 'data' is not an object")
        if (at_ := found.pop("at", None)) is not None:
            found["run_at"] = _instant(str(at_))
        if isinstance(after := found.get("after"), str):
            found["after"] = [after]
        elif after is not None and not (isinstance(after, list) and all(isinstance(one, str) for one in after)):
            raise UsageError(f"{place}: 'after' is not a list of ids, or names of jobs above")
        if isinstance(states := found.get("unique_states"), str):
            found["unique_states"] = [states]
        _check_plain(found, place)
        yield Submission(source="command", **found)


def _check_plain(found: dict[str, Any], place: str) -> None:
    """Refuse values of a kind that no option takes, before they meet the desk."""
    if "retries" in found and (not isinstance(found["retries"], int) or isinstance(found["retries"], bool)):
        raise UsageError(f"{place}: 'retries' is not a whole number")
    for key in ("factor", "jitter"):
        if key in found and (not isinstance(found[key], int | float) or isinstance(found[key], bool)):
            raise UsageError(f"{place}: '{key}' is not a number")
    if found.get("backoff", "fixed") not in ("fixed", "linear", "exponential"):
        raise UsageError(f"{place}: 'backoff' is not fixed, linear or exponential")
    if found.get("on_parent_failure", "cancel") not in ("cancel", "ignore"):
        raise UsageError(f"{place}: 'on_parent_failure' is not cancel or ignore")
    for key in ("hold", "immediate"):
        if not isinstance(found.get(key, False), bool):
            raise UsageError(f"{place}: '{key}' is not true or false")
    for key in ("name", "queue", "unique", "concurrency_key", "user", "label"):
        if found.get(key) is not None and not isinstance(found[key], str):
            raise UsageError(f"{place}: '{key}' is not text")
