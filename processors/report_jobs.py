"""What a report says of the desk's own jobs in a period, beside the one before."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobdesk import Desk

from .periods import Window
from .report_model import Chart, Figure, Section, Series, Table
from .report_steps import NOT_OVER, labels, steps

_MOST_ROWS = 50


def section(home: Path, window: Window, title: str = "Jobs") -> Section:
    """Figures, charts and tables from the metrics of the desk."""
    before = window.before()
    desk = Desk(home, read_only=True)
    try:
        now = desk.metrics_between(window.start.timestamp(), window.end.timestamp())
        was = desk.metrics_between(before.start.timestamp(), before.end.timestamp())
    finally:
        desk.close()
    made = Section(title, "" if window.end <= datetime.now(UTC) else NOT_OVER)
    made.figures = _figures(now, was)
    made.charts = [_over_time(now, was, window), _types(now, was)]
    made.tables = [_queues(now)]
    if now["errors"]:
        rows: list[list[str | float | int | None]] = [
            [name, count, was["errors"].get(name, 0)] for name, count in list(now["errors"].items())[:_MOST_ROWS]
        ]
        made.tables.append(Table("Errors of jobs that went to the dead letters", ["Error", "Jobs", "Before"], rows))
    return made


def _figures(now: Mapping[str, Any], was: Mapping[str, Any]) -> list[Figure]:
    ended, before = now["window"], was["window"]

    def rate(one: Mapping[str, Any], key: str) -> float | None:
        return one[key] if one["window"]["ended"] else None

    def time(one: Mapping[str, Any], key: str) -> float | None:
        return one["processingTime"][key] if one["window"]["completed"] + one["window"]["failed"] else None

    return [
        Figure("Jobs ended", ended["ended"], before["ended"]),
        Figure("Completed", ended["completed"], before["completed"], better="more"),
        Figure("Success rate", rate(now, "completionRate"), rate(was, "completionRate"), "%", "more"),
        Figure("Failed or expired", _dead(ended), _dead(before), better="less"),
        Figure("Typical processing time", time(now, "p50"), time(was, "p50"), "ms", "less"),
        Figure("Slowest 5 % take over", time(now, "p95"), time(was, "p95"), "ms", "less"),
        Figure("Average wait", _wait(now), _wait(was), "ms", "less"),
        Figure("Needed more attempts", rate(now, "retryRate"), rate(was, "retryRate"), "%", "less"),
    ]


def _dead(counts: Mapping[str, int]) -> int:
    return counts["failed"] + counts["expired"]


def _wait(one: Mapping[str, Any]) -> float | None:
    return one["averageQueueTime"] if one["window"]["ended"] else None


def _over_time(now: Mapping[str, Any], was: Mapping[str, Any], window: Window) -> Chart:
    parts, former = steps(window), steps(window.before())
    completed, dead = _counts(now["throughput"], parts)
    total = [one + other for one, other in zip(*_counts(was["throughput"], former), strict=True)]
    series = [
        Series("completed", completed),
        Series("failed or expired", dead, bad=True),
        Series("all, period before", total[: len(parts)], before=True),
    ]
    return Chart("Jobs ended " + ("by hour" if window.grain == "daily" else "by day"), "bars", labels(parts), series)


def _counts(throughput: Sequence[Mapping[str, Any]], parts: Sequence[Window]) -> tuple[list[int], list[int]]:
    """Completed and dead jobs of each part."""
    completed, dead = [0] * len(parts), [0] * len(parts)
    at = 0
    for one in throughput:
        moment = datetime.fromisoformat(one["at"])
        while at < len(parts) - 1 and moment >= parts[at].end:
            at += 1
        completed[at] += one["completed"]
        dead[at] += one["failed"]
    return completed, dead


def _types(now: Mapping[str, Any], was: Mapping[str, Any]) -> Chart:
    names = sorted(now["types"], key=lambda name: -now["types"][name]["ended"])[:12]
    values = [now["types"][name]["ended"] for name in names]
    before = [was["types"].get(name, {}).get("ended", 0) for name in names]
    series = [Series("jobs", values), Series("period before", before, before=True)]
    return Chart("Jobs ended by type", "ranking", names, series)


def _queues(now: Mapping[str, Any]) -> Table:
    rows: list[list[str | float | int | None]] = [
        [
            name,
            one["ended"],
            one["completed"],
            _dead(one),
            one["completionRate"] if one["ended"] else None,
            one["averageQueueTime"],
            one["averageProcessingTime"],
        ]
        for name, one in sorted(now["queues"].items(), key=lambda item: -item[1]["ended"])[:_MOST_ROWS]
        if one["ended"]
    ]
    columns = ["Queue", "Ended", "Completed", "Failed", "Success", "Average wait", "Average time"]
    return Table("Queues", columns, rows, ["", "", "", "", "%", "ms", "ms"])
