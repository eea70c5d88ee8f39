"""How every benchmark says what it found."""

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter


def timed(action: Callable[[], object]) -> float:
    """Milliseconds that the action takes."""
    began = perf_counter()
    action()
    return (perf_counter() - began) * 1000


def pairs(runs: int, ours: Callable[[], float], peer: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Run both in turn, after one round that does not count, so that a drifting machine harms both alike."""
    ours(), peer()
    found = [(ours(), peer()) for _ in range(runs)]
    return [one for one, _ in found], [other for _, other in found]


def show(
    what: str, ours: Sequence[float], peer_name: str, peer: Sequence[float], unit: str = "ms", goal: str = ""
) -> None:
    """One line: median (min-max) of both, and the ratio of the medians."""
    ratio = statistics.median(ours) / statistics.median(peer)
    print(f"{what:<44} {_spread(ours)} {unit}   {peer_name:<34} {_spread(peer)} {unit}   ratio {ratio:.2f}   {goal}")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):9.1f} ({min(values):.1f}-{max(values):.1f})"
