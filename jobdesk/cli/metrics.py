"""`jobdesk metrics` and `doctor`: how the desk does, and what is wrong with it."""

from typing import TYPE_CHECKING, Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.monitoring.doctor import Finding

_TONES = {"ok": "ok", "wrong": "bad", "mended": "warn"}


def add(commands: Group) -> None:
    metrics = commands.command("metrics", "counts, rates and times of the work done", _metrics)
    metrics.add_argument("--queue", metavar="Q", help="only of this queue")
    metrics.add_argument("--type", metavar="T", help="only of this job type")
    metrics.add_argument("--hours", type=number(1), default=24, metavar="N", help="of so many hours (default: 24)")
    metrics.add_argument("--prometheus", action="store_true", help="as text for Prometheus")
    doctor = commands.command("doctor", "look for what is wrong with the home; exits 1 if something is", _doctor)
    doctor.add_argument("--fix", action="store_true", help="mend wrong counts, missing folders and open permissions")


def _metrics(args: Args, out: Out) -> None:
    with opened(args) as desk:
        found = desk.metrics(queue=args.queue, type=args.type, hours=args.hours)
        if args.prometheus:
            from jobdesk.monitoring.prometheus import exposition

            out.stream.write(exposition(found))
        elif out.json:
            out.document(found)
        else:
            _print_metrics(found, out)


def _print_metrics(found: dict[str, Any], out: Out) -> None:
    from jobdesk.core.durations import short
    from jobdesk.core.job import State

    window = found["window"]
    out.fields(
        [
            ("now", ", ".join(f"{found[state.value]:,} {state.value}" for state in State if found[state.value])),
            ("oldest ready job", f"waits for {short(found['lag'] / 1000)}" if found["lag"] else ""),
            (
                f"last {found['hours']} h",
                ", ".join(f"{count:,} {name}" for name, count in window.items() if name != "ended") or "",
            ),
            ("rate", f"{found['processingRate']:g} a minute"),
            ("completed", f"{found['completionRate']:g} %"),
            ("failed", f"{found['failureRate']:g} %"),
            ("retried", f"{found['retryRate']:g} %"),
            ("CPU of a job", f"{short(found['cpu']['average'] / 1000)}, at most {short(found['cpu']['max'] / 1000)}"),
            ("memory of a job", _megabytes(found["memory"]["average"], found["memory"]["max"])),
            ("database", f"{found['databaseSize'] / 1e6:,.1f} MB"),
        ]
    )
    out.heading("times")
    columns = ("average", "p50", "p95", "p99")
    out.table(
        (Column(""), *(Column(name, right=True) for name in columns)),
        [
            (
                name,
                *(
                    short(milliseconds / 1000) if out.terminal else str(milliseconds)
                    for milliseconds in (found[f"average{key}"], *(found[_lower(key)][one] for one in columns[1:]))
                ),
            )
            for name, key in (("waited", "QueueTime"), ("took", "ProcessingTime"), ("in all", "TotalTime"))
        ],
    )
    for title in ("queues", "types", "workers"):
        if found[title]:
            _print_parts(title, found[title], out)
    if found["consumers"]:
        _print_consumers(found["consumers"], out)
    if found["errors"]:
        out.heading("errors")
        out.table(
            (Column("error", least=12), Column("jobs", right=True)),
            [(name, f"{count:,}") for name, count in found["errors"].items()],
        )


def _print_consumers(consumers: dict[str, dict[str, Any]], out: Out) -> None:
    out.heading("consumers")
    out.table(
        (Column("consumer", least=12), *(Column(name, right=True) for name in ("pid", "workers", "CPU %", "memory"))),
        [
            (
                id_,
                str(one["pid"]),
                str(one["workers"]),
                out.nothing if one["cpu"] is None else f"{one['cpu']:.1f}",
                out.nothing if one["memory"] is None else f"{one['memory'] / 1e6:,.0f} MB",
            )
            for id_, one in consumers.items()
        ],
    )


def _megabytes(average: int, most: int) -> str:
    return f"{average / 1e6:,.0f} MB, at most {most / 1e6:,.0f} MB" if most else ""


def _print_parts(title: str, parts: dict[str, dict[str, Any]], out: Out) -> None:
    from jobdesk.core.durations import short

    def span(milliseconds: int) -> str:
        return short(milliseconds / 1000) if out.terminal else str(milliseconds)

    out.heading(title)
    out.table(
        (
            Column(title[:-1], least=12),
            *(Column(name, right=True) for name in ("completed", "failed", "failed %", "took")),
            Column("p95", right=True, drop=1),
        ),
        [
            (
                name,
                f"{part['completed']:,}",
                f"{part['failed'] + part.get('expired', 0):,}",
                f"{part['failureRate']:g}",
                span(part["averageProcessingTime"]),
                span(part["processingTime"]["p95"]),
            )
            for name, part in parts.items()
        ],
    )


def _lower(key: str) -> str:
    return key[0].lower() + key[1:]


def _doctor(args: Args, out: Out) -> int:
    with opened(args) as desk:
        findings = [*_of_settings(desk), *_of_home(desk, fix=args.fix)]
        wrong = [one for one in findings if not one.ok]
        if out.json:
            out.document(
                [
                    {"name": one.name, "ok": one.ok, "message": one.message, "mend": one.mend, "fixed": one.fixed}
                    for one in findings
                ]
            )
        else:
            out.table(
                (
                    Column("check"),
                    Column("state", tone=lambda cell: _TONES.get(cell, "")),
                    Column("finding", least=30),
                ),
                [
                    (
                        one.name,
                        "mended" if one.fixed else "ok" if one.ok else "wrong",
                        one.message if one.mend is None else f"{one.message}: {one.mend}",
                    )
                    for one in findings
                ],
            )
        return 1 if wrong else 0


def _of_home(desk: "Desk", *, fix: bool) -> "list[Finding]":
    from jobdesk.monitoring.doctor import doctor

    home = desk.home
    own = (home.inbox, home.quarantine, home.processors, home.logs, home.run)
    return doctor(
        desk.ledger,
        home=home.path,
        now=desk.clock.now(),
        consumers=desk.consumers(),
        folders=[*own, *(rule.path for rule in desk.folder_rules() if rule.path not in own)],
        fix=fix,
    )


def _of_settings(desk: "Desk") -> "list[Finding]":
    """What only the desk knows: its settings, its processors, and whether they fit together."""
    from jobdesk.core.errors import ConfigError
    from jobdesk.monitoring.doctor import Finding

    try:
        folders = desk.config.folders
    except ConfigError as error:
        return [Finding("settings", False, str(error), "edit it; `jobdesk config schema` says what fits")]
    found = [Finding("settings", True, f"the settings are right ({desk.home.settings})")]
    broken = desk.registry.broken
    kinds = len(desk.registry.processors)
    if broken:
        first = f"{len(broken)} of the plug-ins did not load: {broken[0].name}: {broken[0].error}"
        found.append(Finding("processors", False, first, "mend it; `jobdesk processors list` shows them all"))
    else:
        found.append(Finding("processors", True, f"{kinds} job types are known"))
    for flow in desk.config.flows:
        for step in flow.steps:
            if step.type not in desk.registry.processors:
                said = f"no processor has the job type {step.type} of flow {flow.name}, step {step.name}"
                found.append(Finding("flows", False, said, "change its `type` in jobdesk.toml"))
    for schedule in desk.schedules():
        if schedule.spec.type not in desk.registry.processors:
            said = f"no processor has the job type {schedule.spec.type} of schedule {schedule.name}"
            found.append(Finding("schedules", False, said, "change its `type` in jobdesk.toml, or remove it"))
    for folder in folders:
        if desk.named_flow(folder.pipeline) is None and folder.pipeline not in desk.registry.processors:
            said = f"there is neither a flow nor a job type {folder.pipeline}, which files of {folder.path} become"
            found.append(Finding("pipelines", False, said, "change `pipeline` in jobdesk.toml"))
    return found
