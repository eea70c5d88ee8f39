"""Retry, cancel, hold, release, delete and give another priority: of jobs named by id, or of all that match a query."""

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out, plain
from jobdesk.cli.parsing import Args, Group, Parser
from jobdesk.core.errors import JobdeskError, UsageError

if TYPE_CHECKING:
    from jobdesk.core.job import Job, State
    from jobdesk.core.rate import Rate
    from jobdesk.desk import Desk

_DONE = {
    "retry": "retried",
    "cancel": "cancelled",
    "delete": "deleted",
    "run_now": "made ready",
    "hold": "held",
    "release": "released",
    "first": "put before all others",
    "priority": "given the priority",
}
_TO = {"run_now": "run now", "first": "put before all others", "priority": "give another priority"}
"""What is done to jobs, where that is not the command's own word."""
_CHUNK = 500


class _Answer(NamedTuple):
    """What became of one job: the state it is in now, or why it was refused."""

    id: str
    state: str | None
    error: JobdeskError | None = None


def add(noun: Group) -> None:
    for action, about in (
        ("retry", "run ended jobs again, with a fresh set of attempts"),
        ("cancel", "stop jobs: at once if they wait, by request if they run"),
        ("delete", "remove jobs that do not run, with their history"),
        ("run_now", "let scheduled and retrying jobs wait no longer"),
        ("hold", "let jobs that wait wait until they are released"),
        ("release", "let held jobs go"),
        ("first", "let jobs that wait go before all others, urgent ones too"),
        ("priority", "let jobs that wait come earlier or later"),
    ):
        parser = noun.command(action.replace("_", "-"), about, _act, rest="ids")
        parser.set_defaults(action=action)
        if action == "priority":
            parser.add_argument("level", metavar="LEVEL", type=_level, help="urgent, high, normal, low or 0-100")
        parser.add_argument("ids", metavar="ID", nargs="*", help="an id or a unique beginning of it")
        parser.add_argument("--query", metavar="QUERY", help="all that match; see `jobdesk jobs list --help`")
        add_bulk(parser)
        if action == "retry":
            add_rate(parser)
            parser.add_argument(
                "--data", metavar="JSON|@FILE|-", help="change the data first: keys given here replace the old ones"
            )


def add_bulk(parser: Parser) -> None:
    """The options of an action on several jobs."""
    parser.add_argument("--dry-run", action="store_true", help="only say which jobs it would be")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def add_rate(parser: Parser) -> None:
    """The option that spreads an action on many jobs over time."""
    parser.add_argument(
        "--rate", type=_rate, metavar="10/s", help="no faster than that, so that they do not come at once"
    )


def _rate(text: str) -> "Rate":
    from jobdesk.core.rate import rate

    try:
        return rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _level(text: str) -> int:
    from jobdesk.core.job import priority

    try:
        return priority(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _act(args: Args, out: Out) -> int:
    if bool(args.ids) == (args.query is not None):
        raise UsageError(f"say which jobs to {_TO.get(args.action, args.action)}: ids, or --query QUERY")
    with opened(args) as desk:
        if args.query is not None:
            return act_on_query(desk, args, out, args.action, args.query.strip())
        return _act_on_ids(desk, args, out)


def act_on_query(desk: "Desk", args: Args, out: Out, action: str, query: str, *, called: str | None = None) -> int:
    """Do it to all jobs that match; asks first on a terminal. The exit code.

    Args:
        called: what the audit log calls it, if not by its action.
    """
    from jobdesk.core.query import parse
    from jobdesk.ledger import search

    ids = search.ids(desk.ledger, parse(query))
    if args.dry_run:
        return _only_say(out, action, ids)
    what = f"{len(ids):,} job{'s' * (len(ids) != 1)} that match{'es' * (len(ids) == 1)} '{query}'"
    if ids and not args.yes and not confirmed(out, f"{_TO.get(action, action)} {what}?", must_ask=action == "delete"):
        return 1
    answers, deed = [], desk.deed(called or action, query=query)
    rate = getattr(args, "rate", None)
    chunk, pause_s = _CHUNK if rate is None else _pace(rate), 0.0 if rate is None else rate.span_s / rate.most
    for start in range(0, len(ids), chunk):
        if start and rate is not None:
            desk.clock.wait(threading.Event(), pause_s * chunk)
        refused = desk.each(action, ids[start : start + chunk], deed, priority=getattr(args, "level", None))
        answers += [_Answer(id_, None, JobdeskError(why) if why else None) for id_, why in refused.items()]
    return _tell(desk, out, action, answers, bulk=True)


def _pace(rate: "Rate") -> int:
    """Jobs at a time: those of a tenth of a second, at least one."""
    return max(1, min(_CHUNK, int(rate.most / rate.span_s * 0.1)))


def _act_on_ids(desk: "Desk", args: Args, out: Out) -> int:
    if args.dry_run:
        return _only_say(out, args.action, [desk.full_id(id_) for id_ in args.ids])
    new = None
    if getattr(args, "data", None) is not None:
        from jobdesk.cli.payload import data_of

        new = data_of(args.data)
    if args.action == "delete" and not args.yes:
        named = args.ids[0] if len(args.ids) == 1 else f"{len(args.ids)} jobs"
        if not confirmed(out, f"delete {named}, with the history?", must_ask=False):
            return 1
    ways: dict[str, Callable[[Job], State | None]] = {
        "retry": lambda job: desk.retry(job.id, None if new is None else {**job.data, **new}).state,
        "cancel": lambda job: desk.cancel(job.id),
        "run_now": lambda job: desk.run_now(job.id).state,
        "hold": lambda job: desk.hold(job.id).state,
        "release": lambda job: desk.release(job.id).state,
        "first": lambda job: desk.first(job.id).state,
        "priority": lambda job: desk.set_priority(job.id, args.level).state,
        "delete": lambda job: desk.delete(job.id),
    }
    answers = []
    for given in args.ids:
        try:
            job = desk.job(given)
            state = ways[args.action](job)
        except JobdeskError as error:
            if len(args.ids) == 1:
                raise
            answers.append(_Answer(given, None, error))
        else:
            answers.append(_Answer(job.id, "deleted" if state is None else state.value))
    return _tell(desk, out, args.action, answers)


def _only_say(out: Out, action: str, ids: Sequence[str]) -> int:
    if out.json:
        out.document([{"id": id_, "action": action, "dry_run": True} for id_ in ids])
        return 0
    for id_ in ids:
        out.line(id_)
    out.note(f"{len(ids):,} would be {_DONE[action]}; nothing was changed")
    return 0


def _tell(desk: "Desk", out: Out, action: str, answers: Sequence[_Answer], *, bulk: bool = False) -> int:
    refused = [answer for answer in answers if answer.error is not None]
    if out.json:
        out.document(
            [
                {
                    "id": answer.id,
                    "action": action,
                    "done": answer.error is None,
                    "state": answer.state,
                    "error": None if answer.error is None else str(answer.error),
                }
                for answer in answers
            ]
        )
    else:
        out.stream.flush()
        for answer in refused[:20]:
            out.errors.write(f"jobdesk: {plain(str(answer.error))}\n")
        if len(refused) > 20:
            out.errors.write(f"jobdesk: … and {len(refused) - 20:,} more were refused\n")
        out.say(_summary(action, answers, bulk=bulk))
    return max((answer.error.exit_code for answer in refused if answer.error), default=0)


def _summary(action: str, answers: Sequence[_Answer], *, bulk: bool) -> str:
    done = [answer for answer in answers if answer.error is None]
    if len(done) == 1 and not bulk:
        if action == "cancel" and done[0].state == "processing":
            return f"{done[0].id} runs: it was asked to stop"
        return f"{done[0].id} {_DONE[action]}"
    return f"{len(done):,} {_DONE[action]}"


def confirmed(out: Out, question: str, *, must_ask: bool) -> bool:
    """Ask a person, who must answer yes. Where nobody can be asked it is a yes, unless `must_ask`.

    Raises:
        UsageError: `must_ask`, and there is no terminal to ask on.
    """
    if not sys.stdin.isatty() or not out.errors.isatty():
        if must_ask:
            raise UsageError(f"to {question.rstrip('?')} without a terminal, add --yes (or look with --dry-run first)")
        return True
    out.stream.flush()
    out.errors.write(f"{question} [y/N] ")
    out.errors.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
