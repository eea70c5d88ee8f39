"""What supervisor and child say to each other: one JSON object a message, never pickles.

A child runs code that decodes files of strangers; nothing it sends may become code in the parent.

Each message of a job carries `of`, the token of its attempt: what a thread or a fork that outlived its
job still says is nobody's, never the next job's.

To the child:     {"run": Spec}  {"cancel": why}  {"stored": true}, once for each child_now
To the supervisor: {"ready": true}  {"log": [at, level, text]}  {"progress": [done, total, text]}
                  {"artifact": [path, kind, bytes]}  {"asset": record}  {"child": submission}  {"child_now": submission}
                  {"on_failure": {type, data}}  {"end": {outcome, usage}}
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from jobdesk.core.job import JobError
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped

Message = dict[str, Any]


class Spec(TypedDict):
    """One attempt, as a child needs it. `token` names it in every message."""

    token: str
    job: str
    type: str
    queue: str
    user: str | None
    flow: str | None
    attempt: int
    max_attempts: int
    home: str
    work: str
    settings: Mapping[str, Any]
    results: Mapping[str, Any]
    data: Mapping[str, Any]
    timeout_s: float
    memory_limit: int
    module: str
    file: str | None
    permanent: NotRequired[list[str]]
    retry_on: NotRequired[list[str]]


def from_outcome(outcome: Outcome) -> Message:
    """An outcome as JSON."""
    match outcome:
        case Completed(result):
            return {"completed": result}
        case Failed(error, delay_s, result):
            return {"failed": error.to_json(), "delay_s": delay_s, "result": result}
        case Snoozed(delay_s, why):
            return {"snoozed": why, "delay_s": delay_s}
        case Stopped(why):
            return {"stopped": why}


def to_outcome(message: Message) -> Outcome:
    """The outcome that a child sent."""
    if "completed" in message:
        return Completed(message["completed"])
    if "failed" in message:
        return Failed(JobError(**message["failed"]), message["delay_s"], message["result"])
    if "snoozed" in message:
        return Snoozed(message["delay_s"], message["snoozed"])
    return Stopped(message["stopped"])
