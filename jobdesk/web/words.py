"""States in the words of the systems whose clients may call: Bull's on `/` and `/api`, our own on `/api/v1`."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from jobdesk.core.errors import UsageError
from jobdesk.core.job import State
from jobdesk.core.nearest import nearest

_BULL: Mapping[State, str] = {
    State.BLOCKED: "waiting",
    State.PENDING: "waiting",
    State.SCHEDULED: "delayed",
    State.RETRYING: "delayed",
    State.PROCESSING: "active",
}
_STATES: Mapping[str, tuple[State, ...]] = {
    **{state.value: (state,) for state in State},
    "waiting": (State.PENDING, State.BLOCKED),
    "active": (State.PROCESSING,),
    "delayed": (State.SCHEDULED, State.RETRYING),
    "dead": (State.FAILED, State.EXPIRED),
}


class Words(Enum):
    """What `status` says."""

    BULL = "bull"
    """waiting, active, delayed, completed, failed, cancelled, expired."""
    OWN = "own"
    """The nine states."""

    def status(self, state: State) -> str:
        return _BULL.get(state, state.value) if self is Words.BULL else state.value

    def told(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message of a stream with its `status` in these words."""
        data = message.get("data")
        if isinstance(data, dict):
            return message | {"data": self.told(data)}
        if "status" in message:
            return message | {"status": self.status(State(message["status"]))}
        return message


def states(text: str) -> list[State]:
    """The states that a `status=` means; several stand with commas between them.

    Raises:
        UsageError: a word is none.
    """
    found: list[State] = []
    for word in text.lower().split(","):
        if word.strip() not in _STATES:
            hint = nearest(word.strip(), _STATES) or f"; it takes {', '.join(_STATES)}"
            raise UsageError(f"'{word.strip()}' is not a status{hint}")
        found += _STATES[word.strip()]
    return list(dict.fromkeys(found))


def in_bull(counts: Mapping[State, int]) -> dict[str, int]:
    """Counts of jobs as Bull has them; `total` is all of them."""
    made = dict.fromkeys(("waiting", "active", "completed", "failed", "delayed", "cancelled", "expired"), 0)
    for state, count in counts.items():
        made[_BULL.get(state, state.value)] += count
    return made | {"total": sum(counts.values())}
