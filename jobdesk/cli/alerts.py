"""`jobdesk alerts`: list, ack, silence, unsilence, rules."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number

if TYPE_CHECKING:
    from jobdesk.core.alert import Reading, Rule

_TONES = {"error": "bad", "warning": "warn", "active": "bad", "cleared": "ok"}


def add(commands: Group) -> None:
    noun = commands.noun("alerts", "what is wrong by the rules of the settings")
    listing = noun.command("list", "alerts that are raised and not over", _list)
    listing.add_argument("--all", action="store_true", help="also those that are not raised yet, and the latest over")
    noun.command("ack", "say that somebody knows of an alert", _ack).add_argument(
        "id", metavar="ID", type=number(1), help="its number"
    )
    for verb, run, about in (
        ("silence", _silence, "raise nothing of a rule for a while"),
        ("unsilence", _unsilence, "end a silence"),
    ):
        parser = noun.command(verb, about, run)
        parser.add_argument("rule", metavar="RULE")
        parser.add_argument(
            "--subject", metavar="S", default="", help="only of this subject, as `alerts list` names it"
        )
        if run is _silence:
            parser.add_argument("--for", dest="span", metavar="SPAN", default="1h", help="so long (default: 1h)")
    noun.command("rules", "every rule with its threshold and what it sees now", _rules)


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.alerts(all=args.all)
        if out.json:
            out.document([one.to_json() for one in found])
            return
        now = desk.clock.now()
        out.table(
            (
                Column("id", right=True),
                Column("severity", tone=lambda cell: _TONES.get(cell, "")),
                Column("rule", least=10),
                Column("subject", least=8, drop=1),
                Column("state", tone=lambda cell: _TONES.get(cell, "")),
                Column("since", drop=2),
                Column("by", drop=3),
                Column("", least=20),
            ),
            [
                (
                    str(one.id),
                    one.severity.value,
                    one.rule,
                    one.subject,
                    one.state,
                    out.when(one.raised_at or one.since_at, now),
                    one.acked_by or out.nothing,
                    one.message,
                )
                for one in found
            ],
        )
        if not found:
            out.note("no alert is raised")
        if not desk.consumers():
            out.note("no consumer runs, so nobody looks: start one with `jobdesk --consumer`")


def _ack(args: Args, out: Out) -> None:
    with opened(args) as desk:
        done = desk.acknowledge(args.id)
        found = desk.alert(args.id)
        if out.json:
            out.document(found.to_json())
        else:
            out.say(f"alert {args.id} is acknowledged" + ("" if done else f" already, by {found.acked_by}"))


def _silence(args: Args, out: Out) -> None:
    with opened(args) as desk:
        until = desk.silence(args.rule, args.span, args.subject)
        if out.json:
            from jobdesk.core.clock import iso

            out.document({"rule": args.rule, "subject": args.subject or None, "until": iso(until)})
        else:
            out.say(f"{_named(args)} is silent; it speaks again {out.when(until, desk.clock.now())}")


def _unsilence(args: Args, out: Out) -> None:
    with opened(args) as desk:
        done = desk.unsilence(args.rule, args.subject)
        if out.json:
            out.document({"rule": args.rule, "subject": args.subject or None, "changed": done})
        else:
            out.say(f"{_named(args)} speaks again" if done else f"{_named(args)} was not silenced")


def _named(args: Args) -> str:
    return f"{args.rule} of {args.subject}" if args.subject else str(args.rule)


def _rules(args: Args, out: Out) -> None:
    from jobdesk.core.alert import ABOUT, in_unit
    from jobdesk.core.durations import short

    with opened(args) as desk:
        found, silences = desk.alert_rules(), desk.silences()
        if out.json:
            out.document([_json(rule, readings, silences.get((rule.name, ""))) for rule, readings in found])
            return
        now = desk.clock.now()
        out.table(
            (
                Column("rule", least=10),
                Column("severity", drop=2),
                Column("threshold"),
                Column("now", tone=lambda cell: "bad" if cell.endswith("!") else ""),
                Column("subject", least=8, drop=1),
                Column("window", drop=3),
                Column("for", drop=3),
                Column("silent until", drop=1),
                Column("what it looks at", least=16, drop=2),
            ),
            [
                (
                    rule.name,
                    rule.severity.value,
                    rule.limit(),
                    f"{in_unit(readings[0].value, rule.unit)}{' !' * rule.breached(readings[0].value)}"
                    if readings
                    else out.nothing,
                    readings[0].subject if readings else out.nothing,
                    short(rule.window_s) if rule.window_s else out.nothing,
                    short(rule.for_s) if rule.for_s else out.nothing,
                    out.when(silences[rule.name, ""], now) if (rule.name, "") in silences else out.nothing,
                    rule.query or ABOUT[rule.measure].says,
                )
                for rule, readings in found
            ],
        )


def _json(rule: "Rule", readings: "list[Reading]", silenced: float | None) -> dict[str, Any]:
    from jobdesk.core.clock import iso

    return {
        "name": rule.name,
        "measure": rule.measure.value,
        "query": rule.query,
        "above": rule.above,
        "below": rule.below,
        "unit": rule.unit,
        "window": rule.window_s or None,
        "minimum": rule.minimum,
        "for": rule.for_s,
        "cooldown": rule.cooldown_s,
        "severity": rule.severity.value,
        "queues": list(rule.queues),
        "silenced_until": iso(silenced),
        "value": readings[0].value if readings else None,
        "subject": readings[0].subject if readings else None,
        "breached": bool(readings) and rule.breached(readings[0].value),
        "readings": [
            {"subject": one.subject, "value": one.value, "breached": rule.breached(one.value)} for one in readings
        ],
    }
