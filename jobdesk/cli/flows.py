"""`jobdesk flows`: list, show, start, cancel, resume, define."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, plain, state_tone
from jobdesk.cli.parsing import Args, Group, duration, number
from jobdesk.core.errors import UsageError
from jobdesk.core.redaction import shown

if TYPE_CHECKING:
    from jobdesk.core.flow import Flow
    from jobdesk.core.job import Job
    from jobdesk.desk import Desk
    from jobdesk.flows.definition import Definition

_START_MORE = """
  jobdesk flows start photos source=cat.jpg album=Cats --wait

key=value is what the flow's templates call {input.key}; `jobdesk flows define NAME` shows which it takes."""
_TONES = {"running": "run", "completed": "ok", "failed": "bad", "cancelled": "faint"}


def add(commands: Group) -> None:
    noun = commands.noun("flows", "jobs that belong together: start, look at, cancel and resume them")
    listing = noun.command("list", "flows, newest first", _list)
    listing.add_argument("--limit", type=number(1), default=50, metavar="N", help="at most so many (default: 50)")
    show = noun.command("show", "a flow with its jobs, how far it is, and what took longest", _show)
    show.add_argument("id", metavar="ID", help="its id or a unique beginning of it")
    start = noun.command("start", "start a flow of the settings; prints its id", _start, rest="pairs", more=_START_MORE)
    start.add_argument("name", metavar="NAME")
    start.add_argument("pairs", metavar="key=value", nargs="*", help="what it is given")
    start.add_argument("--data", metavar="JSON|@FILE|-", help="what it is given, as a JSON object")
    start.add_argument("--user", metavar="NAME", help="for whom (default: you)")
    start.add_argument("--wait", action="store_true", help="until it has ended; exits 3 if it failed, 1 if cancelled")
    start.add_argument("--timeout", type=duration, metavar="60s", help="with --wait: give up then (exit code 1)")
    cancel = noun.command("cancel", "cancel all of a flow that has not ended", _cancel)
    cancel.add_argument("id", metavar="ID")
    resume = noun.command("resume", "run again what failed or was cancelled; the rest follows", _resume)
    resume.add_argument("id", metavar="ID")
    define = noun.command("define", "the flows of the settings, or one of them as a tree", _define)
    define.add_argument("name", metavar="NAME", nargs="?")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.flows(args.limit)
        if out.json:
            out.document([flow.to_json() for flow in found])
            return
        now = desk.clock.now()
        columns = (
            Column("id"),
            Column("state", tone=_tone),
            Column("name", least=16),
            Column("done", right=True),
            Column("started", right=True, drop=2),
            Column("took", right=True, drop=1),
        )
        out.table(columns, [_row(flow, out, now) for flow in found])
        if not found:
            out.note("no flows yet: `jobdesk flows start NAME`, or drop a picture into the inbox")


def _row(flow: "Flow", out: Out, now: float) -> list[str]:
    from jobdesk.core.durations import short

    took = None if flow.finished_at is None else flow.finished_at - flow.created_at
    return [
        flow.id,
        flow.state.value,
        flow.name,
        f"{flow.done}/{flow.total}",
        out.when(flow.created_at, now),
        out.nothing if took is None else short(took) if out.terminal else str(round(took * 1000)),
    ]


def _tone(cell: str) -> str:
    return _TONES.get(cell, "")


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        show(desk, desk.flow(args.id), out)


def show(desk: "Desk", flow: "Flow", out: Out) -> None:
    """Print everything about a flow; on its critical path a job's time is marked with an asterisk."""
    if out.json:
        out.document(flow.to_json())
        return
    from jobdesk.core.durations import short

    now = desk.clock.now()
    out.line(f"{out.paint(flow.id, 'bold')}  {out.paint(flow.state.value, _tone(flow.state.value))}")
    names = {job.id: job.step or job.type for job in flow.jobs}
    out.fields(
        [
            ("flow", flow.name),
            ("done", f"{flow.done} of {flow.total}"),
            ("started", out.when(flow.created_at, now)),
            ("took", short((flow.finished_at or now) - flow.created_at)),
            *((f"input.{key}", str(value)) for key, value in shown(flow.input or {}).items()),
            ("longest", " -> ".join(names[id_] for id_ in flow.critical_path)),
        ]
    )
    out.heading("jobs")
    columns = (
        Column("step", least=12),
        Column("state", tone=state_tone),
        Column("took", right=True),
        Column("after", least=8, drop=1),
        Column("id", drop=3),
        Column("error", least=16, drop=2),
    )
    out.table(columns, [_step_row(job, names, flow, out) for job in flow.jobs])


def _step_row(job: "Job", names: Mapping[str, str], flow: "Flow", out: Out) -> list[str]:
    from jobdesk.core.durations import short

    took = "" if job.processing_ms is None else short(job.processing_ms / 1000)
    return [
        names[job.id],
        out.state(job.state),
        took + ("*" if took and job.id in flow.critical_path else ""),
        ", ".join(names.get(id_, id_) for id_ in job.after),
        job.id,
        f"{job.error.type}: {job.error.message}" if job.error else "",
    ]


def _start(args: Args, out: Out) -> int:
    from jobdesk.cli.payload import data_of, merged

    if args.timeout is not None and not args.wait:
        raise UsageError("--timeout says how long --wait waits: add --wait")
    data = merged(data_of(args.data), args.pairs, {})
    with opened(args) as desk:
        flow = desk.start_flow(args.name, data, user=args.user, source="command")
        if not args.wait:
            if out.json:
                out.document(flow.to_json())
            else:
                out.line(flow.id)
            return 0
        from jobdesk.cli.submit import remind

        if not out.json:
            out.line(flow.id, flush=True)
        remind(desk, out)
        flow = desk.wait_flow(flow.id, args.timeout)
        if out.json:
            out.document(flow.to_json())
        return _report(flow, out)


def _report(flow: "Flow", out: Out) -> int:
    """Say why an awaited flow did not complete; the exit code."""
    if flow.state == "completed":
        return 0
    if not out.json:
        lost = next((job for job in flow.jobs if job.state in ("failed", "expired")), None)
        why = ""
        if lost is not None:
            why = f": {lost.step or lost.type} {lost.id} is {lost.state}"
            why += f": {lost.error.type}: {lost.error.message}" if lost.error else ""
        out.stream.flush()
        out.errors.write(f"jobdesk: {flow.name} {flow.id} is {flow.state}{plain(why)}\n")
    return 3 if flow.state == "failed" else 1


def _cancel(args: Args, out: Out) -> None:
    with opened(args) as desk:
        count = desk.cancel_flow(args.id)
        flow = desk.flow(args.id)
        if out.json:
            out.document(flow.to_json())
        else:
            out.say(f"{count} jobs cancelled" + (", what runs was asked to stop" if flow.state == "running" else ""))


def _resume(args: Args, out: Out) -> None:
    with opened(args) as desk:
        retried = desk.resume_flow(args.id)
        if out.json:
            out.document(desk.flow(args.id).to_json())
            return
        for id_ in retried:
            out.line(id_)
        out.note("the rest follows when these complete")


def _define(args: Args, out: Out) -> None:
    with opened(args) as desk:
        if args.name is not None:
            found = desk.flow_definition(args.name)
            if out.json:
                out.document(_json(desk, found))
            else:
                _draw(found, out)
            return
        known = [flow.definition for flow in desk.config.flows]
        if out.json:
            out.document([_json(desk, one) for one in known])
            return
        out.table(
            (Column("flow"), Column("steps", right=True), Column("takes", least=12), Column("for", least=20, drop=1)),
            [(one.name, str(len(one.steps)), _takes(one), one.description) for one in known],
        )
        if not known:
            out.note("jobdesk.toml has no [[flows]]: README, Flows, shows one")


def _takes(definition: "Definition") -> str:
    inputs = definition.inputs
    return "anything" if inputs is None else ", ".join(sorted(inputs))


def _json(desk: "Desk", definition: "Definition") -> dict[str, Any]:
    from dataclasses import asdict

    from jobdesk.sealing import masked

    inputs = definition.inputs
    return dict(shown(masked(asdict(definition), desk.declared))) | {
        "inputs": None if inputs is None else sorted(inputs)
    }


def _draw(definition: "Definition", out: Out) -> None:
    """Print a definition as a tree: each step below the last of those it comes after, which name the others."""
    out.line(
        out.paint(definition.name, "bold") + (f"  {plain(definition.description)}" if definition.description else "")
    )
    out.fields([("takes", _takes(definition))])
    below: dict[str | None, list[str]] = {}
    steps = {step.name: step for step in definition.ordered}
    rank = {name: at for at, name in enumerate(steps)}
    for step in steps.values():
        below.setdefault(max(step.after, key=lambda name: rank[name], default=None), []).append(step.name)
    width = max(len(name) for name in steps) + 2
    for line, name in _tree(below, None, ""):
        step = steps[name]
        others = sorted(set(step.after), key=lambda one: rank[one])[:-1]
        notes = [
            f"also after {', '.join(others)}" if others else "",
            "however they end" if step.on_parent_failure == "ignore" else "",
            "optional" if step.optional else "",
            f"queue {step.queue}" if step.queue else "",
        ]
        told = ", ".join(note for note in notes if note)
        out.line(f"{line}{name.ljust(width)}{step.type}" + out.paint(f"  ({told})" if told else "", "faint"))
    if definition.on_failure is not None:
        out.line(f"if one fails: {definition.on_failure.type}")


def _tree(below: Mapping[str | None, Sequence[str]], parent: str | None, lead: str) -> Iterator[tuple[str, str]]:
    children = below.get(parent, ())
    for at, name in enumerate(children):
        last = at == len(children) - 1
        yield f"{lead}{'└─ ' if last else '├─ '}", name
        yield from _tree(below, name, lead + ("   " if last else "│  "))
