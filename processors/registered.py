"""Whether a job type that another part may bring is there."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

_MARK = "__jobdesk_processor__"


@cache
def is_registered(type_: str) -> bool:
    """Whether an installed package declares this job type."""
    for point in entry_points(group="jobdesk.processors"):
        try:
            module = import_module(point.module)
        except Exception:  # a broken plug-in is a row of `processors list`, not our affair
            continue
        if any(getattr(getattr(one, _MARK, None), "type", None) == type_ for one in vars(module).values()):
            return True
    return False
