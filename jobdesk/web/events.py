"""Routes of events: what happened, and Server-Sent Events of one job or all."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from starlette.concurrency import run_in_threadpool

from jobdesk.core.errors import UsageError
from jobdesk.ledger import reads
from jobdesk.web.jobs import found
from jobdesk.web.lists import Number
from jobdesk.web.route import Ask, Asked, Message, Route, Shown

SSE = "text/event-stream"
BEAT_S = 15.0
"""After so long without news a stream says that it is still there."""
_PAGE = 500
_LONGEST_ID = 18


def _id(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise ValueError("it is not the number of an event")
    return text


EventId = Annotated[int, BeforeValidator(_id), Field(ge=0)]


class EventsAsked(Asked):
    """Which events."""

    after: EventId | None = Field(default=None, description="Those with a higher id; the newest if not said.")
    limit: Number = Field(default=100, ge=1, le=1000)


class FollowAsked(Asked):
    """From where on."""

    after: EventId | None = Field(
        default=None,
        description="Events with a higher id first (Last-Event-ID does the same); from now on if not said.",
    )


class EventShown(Shown):
    """Something that happened: what `jobdesk events --json` prints."""

    id: int
    at: str
    event: str


def _events(ask: Ask) -> list[dict[str, Any]]:
    """What happened, oldest first."""
    asked: EventsAsked = ask.query
    if asked.after is None:
        events = reads.last_events(ask.desk.ledger, limit=asked.limit)
    else:
        events = reads.events(ask.desk.ledger, after=asked.after, limit=asked.limit)
    return [event.to_json() for event in events]


def _nothing(ask: Ask) -> None:
    """What streams do in the place of answering once."""


async def _job(ask: Ask) -> AsyncIterator[Message | None]:
    """A job until it has ended, as Server-Sent Events: `connected`, an `update` a change, then `final` or `error`."""
    assert ask.feed is not None
    job = await run_in_threadpool(found, ask)
    watched = ask.desk.watched(job.id)
    with ask.feed.stream() as stream:
        while not stream.over:
            for said in await run_in_threadpool(watched.look):
                yield Message(ask.words.told(said))
            if watched.over:
                return
            while not await stream.wait(BEAT_S):
                yield None


async def _updates(ask: Ask) -> AsyncIterator[Message | None]:
    """Each change of any job, as Server-Sent Events: `{"type": "job_update", "data": {jobId, status, …}}`."""
    assert ask.feed is not None
    after = _from(ask)
    with ask.feed.stream() as stream:
        if after is None:
            newest = await run_in_threadpool(reads.last_events, ask.desk.ledger, limit=1)
            after = newest[-1].id if newest else 0
        yield Message({"type": "connected"}, after)
        while not stream.over:
            seen, updates = await run_in_threadpool(_since, ask, after)
            for update in updates:
                yield update
            if seen == after:
                while not await stream.wait(BEAT_S):
                    yield None
            after = seen


def _since(ask: Ask, after: int) -> tuple[int, list[Message]]:
    """The next events above an id: the id of the last one, and what they change."""
    events = reads.events(ask.desk.ledger, after=after, limit=_PAGE)
    told = [(event.id, ask.desk.update(event)) for event in events]
    last = events[-1].id if events else after
    return last, [Message(ask.words.told(update), id_) for id_, update in told if update is not None]


def _from(ask: Ask) -> int | None:
    last = ask.headers.get("last-event-id")
    if last is None:
        asked: FollowAsked = ask.query
        return asked.after
    if not (last.isascii() and last.isdigit() and len(last) <= _LONGEST_ID):
        raise UsageError(f"'{last[:40]}' is not the number of an event: Last-Event-ID is what a stream gave as id")
    return int(last)


ROUTES = (
    Route("GET", "/jobs/{jobId}/stream", _nothing, stream=_job, text=SSE),
    Route("GET", "/events", _events, EventShown, query=EventsAsked, many=True, admin=True),
    Route("GET", "/events/stream", _nothing, query=FollowAsked, stream=_updates, text=SSE, admin=True),
)
