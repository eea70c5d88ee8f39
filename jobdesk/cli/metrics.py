"""`jobdesk metrics`: how much the desk does, and how well."""

from typing import Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number


def add(commands: Group) -> None:
    metrics = commands.command("metrics", "counts, rates and times of the work done", _metrics)
    metrics.add_argument("--queue", metavar="Q", help="only of this queue")
    metrics.add_argument("--type", metavar="T", help="only of this job type")
    metrics.add_argument("--hours", type=number(1), default=24, metavar="N", help="of so many hours (default: 24)")
    metrics.add_argument("--prometheus", action="store_true", help="as text for Prometheus")


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
