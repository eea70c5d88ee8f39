"""`jobdesk notify`: targets, routes, test."""

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out, state_tone
from jobdesk.cli.parsing import Args, Group

_PATIENCE = "60s"


def add(commands: Group) -> None:
    noun = commands.noun("notify", "who is told what")
    noun.command("targets", "where notices can go, and when each was last sent one", _targets)
    noun.command("routes", "which events go to which targets", _routes)
    test = noun.command("test", "send a notice to a target now; exits 1 if it does not take it", _test)
    test.add_argument("target", metavar="NAME")


def _targets(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.targets()
        if out.json:
            out.document(found)
            return
        from jobdesk.core.clock import instant

        now = desk.clock.now()
        out.table(
            (
                Column("target", least=8),
                Column("kind"),
                Column("routes", right=True),
                Column("waiting", right=True, drop=2),
                Column("last sent", drop=1),
                Column("", tone=state_tone),
            ),
            [
                (
                    one["name"],
                    one["url"],
                    str(one["routes"]),
                    str(one["waiting"] or out.nothing),
                    out.when(instant(one["sent_at"]), now) if one["sent_at"] else out.nothing,
                    out.state(one["state"]) if one["state"] else "",
                )
                for one in found
            ],
        )
        if not found:
            out.note("no target yet: see [notify.targets] in jobdesk.toml")


def _routes(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.config.notify.routes
        if out.json:
            out.document([route.model_dump(mode="json") for route in found])
            return
        out.table(
            (
                Column("to"),
                Column("events", least=12),
                Column("rules", drop=2, least=8),
                Column("severity", drop=3),
                Column("flows", drop=3),
                Column("query", least=8),
            ),
            [
                (
                    ", ".join(route.to),
                    ", ".join(route.events),
                    ", ".join(route.rules),
                    ", ".join(route.severity),
                    ", ".join(route.flows),
                    route.query or out.nothing,
                )
                for route in found
            ],
        )
        if not found:
            out.note("no route yet: see [[notify.routes]] in jobdesk.toml")


def _test(args: Args, out: Out) -> int:
    from jobdesk.core.errors import JobFailed, Refused
    from jobdesk.core.job import State

    with opened(args) as desk:
        if not desk.consumers():
            raise Refused("no consumer works on this home, so nothing is sent: start one with `jobdesk --consumer`")
        job = desk.test_target(args.target)
        done = desk.wait(job.id, timeout=_PATIENCE)
        if done.state is not State.COMPLETED:
            raise JobFailed(done.error.message if done.error else f"job {done.id} is {done.state}")
        if out.json:
            out.document({"target": args.target, "job": done.id, "state": done.state.value})
        else:
            out.say(f"{args.target} has taken it")
        return 0
