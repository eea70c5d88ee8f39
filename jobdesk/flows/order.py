"""What comes after what: cycles, a running order, all that lies before a step, and the chain that took longest."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
After = Mapping[T, Sequence[T]]
"""For each its direct predecessors, all of which are keys too."""


def cycle(after: After[T]) -> list[T] | None:
    """A round in the order each would run, its first repeated at the end; None if there is none."""
    done: set[T] = set()
    for start in after:
        path: list[T] = []
        ways = [iter((start,))]
        while ways:
            here = next(ways[-1], None)
            if here is None:
                ways.pop()
                if path:
                    done.add(path.pop())
            elif here in path:
                return [here, *reversed(path[path.index(here) :])]
            elif here not in done:
                path.append(here)
                ways.append(iter(after[here]))
    return None


def ordered(after: After[T]) -> list[T]:
    """All, each behind its predecessors, else as given; there must be no cycle."""
    made: dict[T, None] = {}
    while len(made) < len(after):
        for one, before in after.items():
            if one not in made and all(each in made for each in before):
                made[one] = None
    return list(made)


def ancestors(after: After[T], one: T) -> set[T]:
    """All that must come before it."""
    found: set[T] = set()
    waiting = list(after[one])
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting.extend(after[here])
    return found


def longest(after: After[T], took: Mapping[T, float]) -> list[T]:
    """The chain whose parts took longest together, first part first; `took` is by part, in any unit."""
    best: dict[T, tuple[float, T | None]] = {}
    for one in ordered(after):
        before = max(after[one], key=lambda each: best[each][0], default=None)
        best[one] = (took[one] + (best[before][0] if before is not None else 0.0), before)
    chain: list[T] = []
    here = max(best, key=lambda each: best[each][0], default=None)
    while here is not None:
        chain.append(here)
        here = best[here][1]
    return chain[::-1]
