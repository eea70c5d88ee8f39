"""What supervisor and child say to each other: one JSON object a line, never pickles.

A child runs code that decodes files of strangers; nothing it sends may become code in the parent.

Each message of a job carries `of`, the token of its attempt: what a thread or a fork that outlived its
job still says is nobody's, never the next job's.

There are three lines, so that a job costs no thread of its own: the child's main thread reads the first and runs what
comes; a second thread reads the next, on which nothing comes for most jobs; the child speaks on the third. (If it spoke
on the second, the kernel would wake its reader whenever we have read.)

To its main thread: {"run": Spec}; settings are left out while they are those of the last job of that type
To its listener:    {"cancel": why}  {"word": speech}  {"answer": …}, once for each child_now, ask and book
To the supervisor: {"ready": true}  {"log": [at, level, text]}  {"progress": [done, total, text]}
                  {"artifact": [path, kind, bytes]}  {"asset": record}  {"child": submission}  {"child_now": submission}
                  {"on_failure": {type, data}}  {"ask": service}  {"called": [service, why it failed or null]}
                  {"book": [name, entry]}  {"end": outcome, "usage": …, "workdir": whether it has made one}
"""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from jobdesk.core.job import JobError
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped
from jobdesk.core.text import from_json

Message = dict[str, Any]
_written = json.JSONEncoder(check_circular=False).encode
"""`json.dumps` without its look for circles, which end in a RecursionError all the same."""


class Spec(TypedDict):
    """One attempt, as a child needs it. `token` names it in every message, and comes first in its own."""

    token: str
    job: str
    type: str
    queue: str
    user: str | None
    source: NotRequired[str | None]
    flow: str | None
    attempt: int
    max_attempts: int
    home: str
    work: str
    settings: NotRequired[Mapping[str, Any]]
    results: Mapping[str, Any]
    data: Mapping[str, Any]
    timeout_s: float
    memory_limit: int
    module: str
    file: str | None
    permanent: NotRequired[list[str]]
    retry_on: NotRequired[list[str]]


def encode(message: Message) -> bytes:
    """A message as a line: JSON has no line ends of its own."""
    return _written(message).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message of a line.

    Raises:
        ValueError, RecursionError: it is none.
    """
    message: Message = from_json(line.decode())
    return message


class Inbox:
    """Makes lines of the blocks of bytes that arrive."""

    def __init__(self, longest_bytes: int) -> None:
        self._longest_bytes = longest_bytes
        self._begun = bytearray()
        """The start of a message whose end has not come."""

    def take(self, block: bytes) -> list[bytes]:
        """The lines that are complete now.

        Raises:
            ValueError: one is too long.
        """
        if not self._begun and block.find(b"\n") == len(block) - 1:  # one message, as most blocks are
            return [block]
        *lines, rest = block.split(b"\n")
        if lines and self._begun:
            lines[0] = bytes(self._begun + lines[0])
            self._begun.clear()
        self._begun += rest
        if len(self._begun) > self._longest_bytes:
            raise ValueError("a message is too long")
        return lines


def from_outcome(outcome: Outcome) -> Message:
    """An outcome as JSON."""
    match outcome:
        case Completed(result):
            return {"completed": result}
        case Failed(error, delay_s, result):
            return {"failed": error.to_json(), "delay_s": delay_s, "result": result}
        case Snoozed(delay_s, why, service):
            return {"snoozed": why, "delay_s": delay_s, "service": service}
        case Stopped(why):
            return {"stopped": why}


def to_outcome(message: Message) -> Outcome:
    """The outcome that a child sent."""
    if "completed" in message:
        return Completed(message["completed"])
    if "failed" in message:
        return Failed(JobError(**message["failed"]), message["delay_s"], message["result"])
    if "snoozed" in message:
        return Snoozed(message["delay_s"], message["snoozed"], message["service"])
    return Stopped(message["stopped"])
