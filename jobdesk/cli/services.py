"""`jobdesk services`: list, show, test, open, close."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, plain
from jobdesk.cli.parsing import Args, Group

if TYPE_CHECKING:
    from jobdesk.servicing import ServiceState

_TONES = {"open": "bad", "half open": "warn", "closed": "ok"}


def add(commands: Group) -> None:
    noun = commands.noun("services", "what jobs call outside: whether it works, and who waits for it")
    noun.command("list", "every service with its breaker", _list)
    show = noun.command("show", "everything about a service", _show)
    test = noun.command("test", "call a service now: whether it answers", _test)
    open_ = noun.command("open", "let no job call a service; those that need it wait", _open)
    open_.add_argument("--why", metavar="TEXT", help="what people are told")
    close = noun.command("close", "let jobs call a service again, at once", _close)
    for parser in (show, test, open_, close):
        parser.add_argument("name", metavar="NAME")


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.services()
        if out.json:
            out.document([_json(one) for one in found])
            return
        now = desk.clock.now()
        out.table(
            (
                Column("service", least=12),
                Column("breaker", tone=lambda cell: _TONES.get(cell, "")),
                Column("since", drop=3),
                Column("wait", right=True),
                Column("health", least=8, drop=2),
                Column("url", least=16, drop=4),
                Column("why", least=16),
            ),
            [
                (
                    one.name,
                    _word(one),
                    out.when(one.breaker.changed_at if one.breaker else None, now),
                    str(one.waiting),
                    _health(one, out),
                    one.url or "not configured",
                    one.breaker.reason if one.breaker and one.state != "closed" else "",
                )
                for one in found
            ],
        )
        if not found:
            out.note("no service yet: write [services.NAME] with a url into jobdesk.toml")


def _word(one: "ServiceState") -> str:
    return one.state.value.replace("_", " ")


def _health(one: "ServiceState", out: Out) -> str:
    if one.probe is None or one.probe.at is None:
        return out.nothing
    return one.probe.message


def _json(one: "ServiceState") -> dict[str, Any]:
    from dataclasses import asdict

    from jobdesk.core.clock import iso

    breaker, probe = one.breaker, one.probe
    return {
        "name": one.name,
        "kind": one.kind,
        "url": one.url,
        "state": one.state.value,
        "reason": breaker.reason if breaker else None,
        "since": iso(breaker.changed_at) if breaker else None,
        "until": iso(breaker.until) if breaker else None,
        "opened": breaker.opened if breaker else 0,
        "calls": one.calls,
        "failures": one.failures,
        "waiting": one.waiting,
        "types": list(one.types),
        "breaker": asdict(one.policy),
        "health": None
        if probe is None
        else {"ok": probe.ok, "message": probe.message, "at": iso(probe.at), "took_ms": probe.took_ms},
    }


def _show(args: Args, out: Out) -> None:
    with opened(args) as desk:
        one = desk.service(args.name)
        if out.json:
            out.document(_json(one))
            return
        from jobdesk.core.durations import short
        from jobdesk.servicing import section

        policy, now = one.policy, desk.clock.now()
        out.fields(
            [
                (one.kind if one.kind != "unknown" else "service", one.name),
                ("url", one.url or f"not configured: write {section(one.name)} into jobdesk.toml"),
                ("breaker", one.says),
                ("why", one.breaker.reason if one.breaker else "it never failed"),
                ("since", out.when(one.breaker.changed_at, now) if one.breaker else ""),
                ("tried", out.when(one.breaker.until, now) if one.breaker and one.breaker.until else ""),
                ("calls", f"{one.calls} in the last {short(policy.window_s)}, {one.failures} failed"),
                (
                    "opens",
                    f"at {policy.failures} failures in {short(policy.window_s)}, if there are {policy.minimum_calls} "
                    f"calls or more and {policy.failure_rate:.0%} of them fail",
                ),
                (
                    "pause",
                    f"{short(policy.open_for_s)}, up to {short(policy.max_open_s)}; then {policy.trials} on trial",
                ),
                ("wait", str(one.waiting)),
                ("types", ", ".join(one.types)),
                ("health", f"{one.probe.message}, {out.when(one.probe.at, now)}" if one.probe and one.probe.at else ""),
            ]
        )


def _test(args: Args, out: Out) -> int:
    with opened(args) as desk:
        ok, message = desk.test_service(args.name)
        if out.json:
            out.document({"name": args.name, "ok": ok, "message": message})
        else:
            out.line(plain(f"{args.name}: {message}"))
        return 0 if ok else 1


def _open(args: Args, out: Out) -> None:
    with opened(args) as desk:
        changed = desk.open_service(args.name, args.why)
        if out.json:
            out.document(_json(desk.service(args.name)))
        else:
            out.say(f"{args.name} is not called" if changed else f"{args.name} was held open already")


def _close(args: Args, out: Out) -> None:
    with opened(args) as desk:
        changed = desk.close_service(args.name)
        if out.json:
            out.document(_json(desk.service(args.name)))
        else:
            out.say(f"{args.name} may be called" if changed else f"{args.name} was closed already")
