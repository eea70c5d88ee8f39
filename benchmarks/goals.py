"""The goals of jobdesk's speed, each beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results import Results

OURS = "jobdesk"


@dataclass(frozen=True)
class Verdict:
    """A goal, what was measured in words, and whether that reaches it; None if it was not measured."""

    goal: str
    measured: str
    reached: bool | None


def judge(
    results: Results, servers: Sequence[str] = (), backlog: int = 200_000, finished: int = 1_000_000
) -> list[Verdict]:
    """Every goal, in the order of the issue. `servers` are the peers that need a server: no rivals in a drain."""
    rivals = {
        key: rate
        for key in results.values
        if not key.startswith(OURS) and key not in servers and (rate := results.median(key, "drain")) is not None
    }
    fastest = max(rivals, key=lambda key: rivals[key], default="")
    return [
        _times(results, "drain", "huey", 6, "drain: 6x SqliteHuey at its defaults"),
        _times(results, "drain", "huey-nosync", 3, "drain: 3x SqliteHuey with synchronous off"),
        _times(results, "drain", fastest, 1, f"drain: the fastest peer without a server ({fastest})"),
        _times(results, "submit", "huey", 1.5, "submit one by one: 1.5x SqliteHuey at its defaults"),
        _least(results, "batch", 100_000, "submit a batch: 100,000/s"),
        _same(results, "backlog", f"drain with {backlog:,} waiting: within 20 %"),
        _same(results, "finished", f"drain with {finished:,} finished: within 20 %"),
        _same(results, "paused", f"drain with {backlog:,} in a paused queue: within 20 %"),
        _most("pickup by an idle consumer, median: 1.5 ms", results.percentile(OURS, "pickup", 0.5), 1.5, " ms"),
        _most("pickup by an idle consumer, p99: 10 ms", results.percentile(OURS, "pickup", 0.99), 10, " ms"),
        _most("idle CPU with 20 queues: 0.3 % of a core", results.median(OURS, "idle_cpu20"), 0.3, " %"),
        _least(results, "process", 5_000, "jobs in 2 warm child processes: 5,000/s"),
        _most(f"consumer's memory with {finished:,} jobs: 80 MB", results.median(OURS, "finished_rss_mb"), 80, " MB"),
        _most("database for each finished job: 1 KB", results.median(OURS, "bytes"), 1024, " bytes"),
        _most("jobs not back after kill -9: none", results.median(OURS, "lost"), 0, ""),
    ]  # fmt: skip


def _times(results: Results, name: str, peer: str, factor: float, goal: str) -> Verdict:
    mine, theirs = results.median(OURS, name), results.median(peer, name)
    if mine is None or theirs is None:
        return _unknown(goal)
    return Verdict(goal, f"{mine / theirs:.2f}x ({mine:,.0f} to {theirs:,.0f}/s)", mine / theirs >= factor)


def _least(results: Results, name: str, least: float, goal: str) -> Verdict:
    found = results.median(OURS, name)
    return _unknown(goal) if found is None else Verdict(goal, f"{found:,.0f}/s", found >= least)


def _same(results: Results, name: str, goal: str) -> Verdict:
    alone, loaded = results.median(OURS, "drain"), results.median(OURS, name)
    if alone is None or loaded is None:
        return _unknown(goal)
    return Verdict(
        goal, f"{loaded / alone:.2f} of the rate without ({loaded:,.0f} to {alone:,.0f}/s)", loaded >= 0.8 * alone
    )


def _most(goal: str, found: float | None, most: float, unit: str) -> Verdict:
    return (
        _unknown(goal)
        if found is None
        else Verdict(goal, f"{found:,.3g}{unit}" if found < 1000 else f"{found:,.0f}{unit}", found <= most)
    )


def _unknown(goal: str) -> Verdict:
    return Verdict(goal, "not measured", None)
