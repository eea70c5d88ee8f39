"""The table of `benchmarks.terminal`: what was measured, its goal, a peer's figure, and the ratio of both."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Found:
    """One line of the table. `most` is the goal, in the unit of the values; None: there is none."""

    what: str
    most: float | None
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None

    @property
    def reached(self) -> str:
        if self.most is None:
            return ""
        return "reached" if self.ours <= self.most else "**not reached**"


def render(found: Sequence[Found], about: dict[str, str], count: int) -> str:
    lines = [
        "# The terminal app measured",
        "",
        f"`python -m benchmarks.terminal`: a pseudo terminal of 120x40, {count:,} jobs in the ledger, the app works on "
        "it with a consumer of its own. A frame is complete when the terminal has got the end of its synchronized "
        "update; which row it shows is found by a terminal emulator afterwards. Keys are held down, 30 a second. Read "
        "the ratios: the machine is part of every number.",
        "",
        " · ".join(f"{name}: {value}" for name, value in about.items()),
        "",
        "| what | goal | measured | | peer | it takes | ratio |",
        "|---|---:|---:|---|---|---:|---:|",
    ]
    for one in found:
        goal = "" if one.most is None else f"{one.most:g} {one.unit}"
        theirs = "" if one.theirs is None else f"{_short(one.theirs)} {one.unit}"
        ratio = f"{one.ours / one.theirs:.2f}" if one.theirs else ""
        measured = f"{_short(one.ours)} {one.unit}"
        lines.append(f"| {one.what} | {goal} | {measured} | {one.reached} | {one.peer} | {theirs} | {ratio} |")
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
