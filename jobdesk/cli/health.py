"""`jobdesk health`: whether the desk is well, for people and for monitoring."""

from typing import Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, plain
from jobdesk.cli.parsing import Args, Group

_EXIT_CODES = {"healthy": 0, "warning": 1, "error": 2}
_SIZES = ("bytes", "free", "total", "used", "available", "memory")
"""Details that count bytes."""
_TONES = {"healthy": "ok", "ok": "ok", "warning": "warn", "error": "bad"}


def add(commands: Group) -> None:
    health = commands.command("health", "whether the desk is well; exits 0 healthy, 1 warning, 2 error", _health)
    health.add_argument("--detailed", action="store_true", help="with the numbers of every check")


def _health(args: Args, out: Out) -> int:
    found = _look(args)
    code = _EXIT_CODES[found["status"]]
    if out.json:
        out.document(found)
        return code
    out.line(out.paint(found["status"], _TONES[found["status"]]))
    bad: dict[str, str] = {}
    for problem in sorted(found["problems"], key=lambda one: _EXIT_CODES[one["status"]]):
        bad[problem["check"]] = problem["status"]
    out.table(
        (Column("check"), Column("state", tone=lambda cell: _TONES.get(cell, ""))),
        [(name, "ok" if well else bad.get(name, "warning")) for name, well in found["checks"].items()],
    )
    for problem in found["problems"]:
        out.line(f"{problem['status']}: {plain(problem['message'])}")
    for name, details in found.get("details", {}).items():
        if details:
            out.heading(name)
            out.fields((key, _text(key, value)) for key, value in details.items())
    return code


def _look(args: Args) -> dict[str, Any]:
    """The health; of a home that cannot even be opened, what can be seen from outside."""
    from jobdesk.core.errors import HomeError

    try:
        with opened(args, or_only_look=False) as desk:
            return desk.health(detailed=args.detailed)
    except HomeError as error:
        from jobdesk.core.clock import SystemClock
        from jobdesk.home import locate
        from jobdesk.monitoring.health import health_of_closed

        home = locate(getattr(args, "home", None))
        return health_of_closed(home, str(error), SystemClock().now(), detailed=args.detailed)


def _text(key: str, value: Any) -> str:
    """A number, or several of one thing, as a person reads them."""
    from jobdesk.core.durations import size

    if isinstance(value, list):
        return "\n".join(_text(key, one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(name, one)}" for name, one in value.items() if one not in (None, 0, {}, []))
    if key in _SIZES and isinstance(value, int):
        return size(value)
    return str(value)
