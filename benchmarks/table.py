"""The tables, in Markdown that can also be read as it is."""

from collections.abc import Mapping, Sequence

from benchmarks.goals import OURS, Verdict
from benchmarks.results import Results

NOT_MEASURED = "–"


def render(
    results: Results,
    titles: Mapping[str, tuple[str, str]],
    verdicts: Sequence[Verdict],
    machine: Mapping[str, str],
    how: str,
    backlog: int,
    finished: int,
) -> str:
    """All of it: how it was measured, the peers, jobdesk alone, the goals, notes.

    Args:
        titles: for each queue its name and what it syncs, in the order of the rows.
    """
    peers = [_row(results, key, *words) for key, words in titles.items() if "drain" in results.values.get(key, {})]
    head = [
        "queue", "synchronous", "submit /s", "batch /s", "drain /s", f"drain /s with {backlog:,} waiting",
        "idle pickup p50 / p99 ms", "idle CPU %", "RSS MB", "after kill -9",
    ]  # fmt: skip
    parts = ["# Queues measured on the same work", how, _facts(machine), _facts_of_versions(results)]
    parts.append(_table(head, peers, left=(0, 1, len(head) - 1)))
    own = _own(results, backlog, finished)
    if own:
        parts += ["## jobdesk alone", _table(["what", "measured"], own)]
    known = [one for one in verdicts if one.reached is not None]
    if known:
        words = {True: "reached", False: "**not reached**", None: "not measured"}
        rows = [[one.goal, one.measured, words[one.reached]] for one in verdicts]
        parts += ["## Goals", _table(["goal", "measured", ""], rows, left=(0, 2))]
    notes = [*results.notes, *_spread(results)]
    if notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(results: Results, key: str, title: str, synchronous: str) -> list[str]:
    p50, p99 = (results.percentile(key, "pickup", part) for part in (0.5, 0.99))
    memory, others = results.median(key, "rss_mb"), results.median(key, "others_mb")
    return [
        title,
        synchronous,
        *(_rate(results.median(key, name)) for name in ("submit", "batch", "drain", "backlog")),
        NOT_MEASURED if p50 is None or p99 is None else f"{_short(p50)} / {_short(p99)}",
        _short(results.median(key, "idle_cpu")),
        NOT_MEASURED if memory is None else f"{memory:.0f}" + (f" + {others:.0f}" if others else ""),
        _crash(results, key),
    ]


def _crash(results: Results, key: str) -> str:
    lost, back = results.median(key, "lost"), results.median(key, "back_s")
    if lost is None or back is None:
        return NOT_MEASURED
    return f"{lost:.0f} of 104 not back" if lost else f"all back, after {_short(back)} s"


def _own(results: Results, backlog: int, finished: int) -> list[list[str]]:
    rates = [
        ('drain, synchronous = "normal"', "jobdesk-normal", "drain"),
        ('drain, synchronous = "full"', "jobdesk-full", "drain"),
        ('submit, synchronous = "normal"', "jobdesk-normal", "submit"),
        ('submit, synchronous = "full"', "jobdesk-full", "submit"),
        ("submit from 8 threads", OURS, "threads"),
        (f"drain with {finished:,} finished in the ledger", OURS, "finished"),
        (f"drain with {backlog:,} in a paused queue", OURS, "paused"),
        ("drain by 2 child processes", OURS, "process"),
    ]
    others = [
        (f"memory of the consumer with {finished:,} jobs in the ledger", OURS, "finished_rss_mb", "MB"),
        ("database for each finished job, with its history", OURS, "bytes", "bytes"),
        ("idle CPU with 20 queues", OURS, "idle_cpu20", "% of a core"),
    ]
    rows = [
        [text, f"{_rate(found)}/s"] for text, key, name in rates if (found := results.median(key, name)) is not None
    ]
    for text, key, name, unit in others:
        found = results.median(key, name)
        if found is not None:
            rows.append([text, f"{_short(found)} {unit}"])
    return rows


def _facts(machine: Mapping[str, str]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in machine.items())


def _facts_of_versions(results: Results) -> str:
    return "Versions: " + ", ".join(dict.fromkeys(results.versions.values())) + "." if results.versions else ""


def _spread(results: Results) -> list[str]:
    wide = {name: found for name in ("submit", "drain") if (found := results.spread(name)) is not None}
    if not wide:
        return []
    said = ", ".join(f"{name} {100 * found:.0f} %" for name, found in wide.items())
    return [f"The rounds of one queue differed by at most (largest less smallest, of the median): {said}."]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        "-" * (width + 2) if column in left else "-" * (width + 1) + ":" for column, width in enumerate(widths)
    )
    return "\n".join([line(head), f"|{rule}|", *(line(row) for row in rows)])


def _rate(value: float | None) -> str:
    """Three figures: more than that is noise."""
    if value is None:
        return NOT_MEASURED
    if value < 100:
        return _short(value)
    step = 10 ** (len(str(int(value))) - 3)
    return f"{round(value / step) * step:,}"


def _short(value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
