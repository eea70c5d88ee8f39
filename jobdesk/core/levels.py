"""The levels of log lines, of the desk and of jobs, in order."""

LEVELS = ("debug", "info", "warning", "error", "critical")
_RANK = {level: rank for rank, level in enumerate(LEVELS)} | {"print": 1}


def at_least(level: str, least: str | None) -> bool:
    """Whether a line of this level is wanted; what a job printed counts as info."""
    return least is None or _RANK.get(level, 1) >= _RANK[least]
