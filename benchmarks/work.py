"""What a job of the queue measurements does, in whichever queue: be counted, say when it was picked up, or sleep.

A queue's worker calls `run` with the payload. What that does is set once in the consumer's process; a
child process of a queue has only the no-op, which is what it is measured with.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

PAYLOAD_BYTES = 200
Payload = dict[str, Any]


def payload(n: int, at: float = 0.0, sleep: float = 0.0) -> Payload:
    """200 bytes of JSON: the job's number, when it was submitted (monotonic seconds), how long it is to sleep."""
    made: Payload = {"n": n, "at": at, "sleep": sleep, "pad": ""}
    made["pad"] = "x" * max(0, PAYLOAD_BYTES - len(json.dumps(made)))
    return made


class Count:
    """Counts the jobs that ran and remembers when the first did; costs a job a fraction of a microsecond."""

    def __init__(self, goal: int) -> None:
        self.goal = goal
        self.seen = 0
        self.first: float | None = None
        self.reached = threading.Event()
        self._numbers = itertools.count(1)

    def __call__(self, _: Payload) -> None:
        number = next(self._numbers)
        if number == 1:
            self.first = time.monotonic()
        self.seen = number
        if number == self.goal:
            self.reached.set()


class Pickup:
    """Says how long after its submission each job started. One clock for all processes: monotonic."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __call__(self, data: Payload) -> None:
        self._say(f"pickup {(time.monotonic() - data['at']) * 1000:.4f}")


class Sleep:
    """Says when each job starts and ends, and sleeps between."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __call__(self, data: Payload) -> None:
        self._say(f"started {data['n']}")
        time.sleep(data["sleep"])
        self._say(f"done {data['n']}")


def _nothing(_: Payload) -> None:
    pass


_doing: Callable[[Payload], None] = _nothing


def become(doing: Callable[[Payload], None]) -> None:
    """From now on every job of this process does this."""
    global _doing  # noqa: PLW0603  (queues find `run` by its name; what it does is the process's own)
    _doing = doing


def run(data: Payload) -> None:
    """The job."""
    _doing(data)
