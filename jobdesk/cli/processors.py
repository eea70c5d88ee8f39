"""`jobdesk processors`: every job type, and the plug-ins that failed to load."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group

_NEW_MORE = """
  jobdesk processors new greet                      # HOME/processors/greet.py, and a test beside it
  jobdesk processors new greet --package ~/greet    # a package of its own: pip install ~/greet"""

if TYPE_CHECKING:
    from jobdesk.core.processor import Processor
    from jobdesk.desk import Desk
    from jobdesk.plugins import Broken


def add(commands: Group) -> None:
    noun = commands.noun("processors", "look at the job types and their parameters")
    noun.command("list", "every job type; plug-ins that failed to load are rows too", _list)
    noun.command("show", "a job type with its parameters", _show).add_argument("type", metavar="TYPE")
    new = noun.command("new", "begin a job type of your own: a typed skeleton with a test", _new, more=_NEW_MORE)
    new.add_argument("type", metavar="NAME", help="the job type, like greet or report.monthly")
    new.add_argument("--package", metavar="DIR", help="make a package that can be installed, in a new folder")


def _new(args: Args, out: Out) -> None:
    from pathlib import Path

    from jobdesk import skeleton

    if args.package is not None:
        made = skeleton.package(args.type, Path(args.package).expanduser().absolute())
    else:
        from jobdesk import home

        prepared = home.prepare(home.locate(getattr(args, "home", None)))
        made = skeleton.file(args.type, prepared.processors)
    if out.json:
        out.document({"type": args.type, "files": [str(path) for path in made]})
        return
    for path in made:
        out.line(str(path))
    if args.package is not None:
        out.note(f"install it where jobdesk is with `pip install {args.package}`; its test: pytest {args.package}")
    else:
        out.note(f"try it: jobdesk submit {args.type} name=Ada; its test: pytest {made[-1]}")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        registry = desk.registry
        kinds = [registry.processors[type_] for type_ in sorted(registry.processors)]
        if out.json:
            out.document([*(_json(desk, kind) for kind in kinds), *(_broken_json(one) for one in registry.broken)])
            return
        out.table(
            (
                Column("type", least=23),
                Column("queue", least=12, drop=2),
                Column("takes", least=16, drop=3),
                Column("", least=20, tone=lambda cell: "bad" if cell.startswith("broken: ") else ""),
            ),
            [
                *(_row(kind) for kind in kinds),
                *((one.name, out.nothing, out.nothing, f"broken: {one.error}") for one in registry.broken),
            ],
        )


def _row(kind: "Processor") -> tuple[str, str, str, str]:
    schema, error = _parameters(kind)
    takes = " ".join((schema or {}).get("properties", {}))
    return kind.type, kind.queue, takes, kind.summary if error is None else f"broken: {error}"


def _parameters(kind: "Processor") -> tuple[dict[str, Any] | None, str | None]:
    """The JSON Schema of its parameters, or why there is none: annotations are a plug-in's own and may be wrong."""
    try:
        return kind.schema(), None
    except Exception as error:
        return None, f"its parameters cannot be described: {type(error).__name__}: {error}"


def _json(desk: "Desk", kind: "Processor") -> dict[str, Any]:
    source = desk.registry.sources[kind.type]
    schema, error = _parameters(kind)
    return {
        "type": kind.type,
        "summary": kind.summary,
        "queue": kind.queue,
        "priority": kind.priority,
        "timeout_s": kind.timeout_s,
        "retries": kind.retries,
        "retry_delay_s": kind.retry_delay_s,
        "backoff": kind.backoff,
        "isolation": kind.isolation,
        "service": kind.service,
        "module": source.module,
        "file": source.file,
        "schema": schema,
        "broken": error is not None,
        "error": error,
    }


def _broken_json(one: "Broken") -> dict[str, Any]:
    return {"type": None, "name": one.name, "broken": True, "error": one.error, "traceback": one.traceback}


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.errors import NotFound, UnknownType

        try:
            kind = desk.registry.get(args.type)
        except UnknownType as error:
            raise NotFound(str(error)) from None
        if out.json:
            out.document(_json(desk, kind))
            return
        import inspect

        from jobdesk.core.durations import short
        from jobdesk.core.parameters import parameters

        source = desk.registry.sources[kind.type]
        out.fields(
            [
                ("type", kind.type),
                ("does", inspect.getdoc(kind.function) or ""),
                ("queue", kind.queue),
                ("timeout", "" if kind.timeout_s is None else short(kind.timeout_s)),
                ("retries", "" if kind.retries is None else str(kind.retries)),
                ("isolation", kind.isolation),
                ("service", kind.service or ""),
                ("from", source.file or source.module),
            ]
        )
        schema, trouble = _parameters(kind)
        if schema is None:
            out.line(str(trouble))
            return
        out.heading("parameters")
        out.table(
            (Column("name"), Column("kind", least=10), Column("default", least=8), Column("about", least=10, drop=1)),
            [(one.name, one.kind, one.default, one.about) for one in parameters(schema)],
        )
