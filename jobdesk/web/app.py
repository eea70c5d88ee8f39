"""The application: for each route of the table read what is asked, do it in a thread, write what came of it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Path
from starlette.routing import WebSocketRoute

from jobdesk.core.errors import JobdeskError, PayloadError, ReadOnly
from jobdesk.core.text import to_json
from jobdesk.core.who import acting_for
from jobdesk.web import openapi
from jobdesk.web.asking import caller_of, path_of, query_of
from jobdesk.web.errors import SAFE, document, explained, refusal, said_of
from jobdesk.web.feed import Feed
from jobdesk.web.guard import Guard, too_large
from jobdesk.web.rate import RateLimit
from jobdesk.web.route import Answer, Ask, Message, Route
from jobdesk.web.sockets import SocketDoor
from jobdesk.web.table import BASES, routes
from jobdesk.web.words import Words

if TYPE_CHECKING:
    from jobdesk.desk import Desk

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
_GONE = 499
"""What is logged of a client that went; nobody reads it."""
_RETRY_MS = 2000
"""After which a client of a stream that was cut off is to come again."""


class TooLarge(Exception):
    """A body is longer than it may be."""


class WrongKind(Exception):
    """A body is not JSON by its own word."""


def application(desk: "Desk", feed: Feed, token: str | None, host: str) -> Starlette:
    """The whole application for a desk.

    Args:
        token: None lets everybody in.
        host: what it listens on.
    """
    settings, table = desk.config.http, routes()
    guard = Middleware(
        Guard,
        token=token,
        names=frozenset(map(str.lower, (*settings.hosts, host))),
        origins=frozenset(settings.origins),
        rate=RateLimit(settings.rate_limit, desk.clock),
        max_body=settings.max_body,
    )
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-User-Id", "X-User-Role"],
    )
    text = to_json(openapi.describe(table, with_token=token is not None))
    doors: dict[str, Path] = {}
    sockets: list[WebSocketRoute] = []
    for base in BASES:
        words = Words.OWN if base == BASES[0] else Words.BULL
        doors[f"{base}/openapi.json"] = Path(f"{base}/openapi.json", _document_of(text), methods=["GET"])
        for path in dict.fromkeys(route.path for route in table):
            door = Door(desk, feed, words, [route for route in table if route.path == path])
            doors[base + path] = Path(base + path, door.answer, methods=_ANY)
        for route in table:
            if route.stream is not None:
                sockets.append(WebSocketRoute(base + route.path, SocketDoor(desk, feed, words, route).answer))
    return Starlette(
        routes=[*(doors[path] for path in sorted(doors, key=lambda path: (path.count("{"), path))), *sockets],
        middleware=[*([cors] if settings.origins else []), guard],
        exception_handlers={HTTPException: _no_route},
    )


def _document_of(text: str) -> Any:
    async def answer(request: Request) -> Response:
        return Response(text, headers=SAFE, media_type="application/json")

    return answer


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return refusal(405, "method", f"{request.method} is not there for this address", {"Allow": "GET, HEAD"})
    return refusal(status, "not_found", "there is no such address: see /openapi.json for those that are")


class Door:
    """What is behind one address: a route for each method."""

    def __init__(self, desk: "Desk", feed: Feed, words: Words, routes: Sequence[Route]) -> None:
        self._desk = desk
        self._feed = feed
        self._words = words
        self._routes = {route.method: route for route in routes}
        self._most = desk.config.http.max_body

    async def answer(self, request: Request) -> Response:
        """Answer a request; never raises, except when whoever asked has gone."""
        method = "GET" if request.method == "HEAD" else request.method
        route = self._routes.get(method)  # type: ignore[call-overload]
        if route is None or (route.stream is not None and request.method == "HEAD"):
            allowed = ", ".join(sorted({*self._routes, *(("HEAD",) if "GET" in self._routes else ())}))
            said = f"{request.method} is not there for this address: it takes {allowed}"
            return refusal(405, "method", said, {"Allow": allowed})
        try:
            if route.changes and self._desk.read_only:
                raise ReadOnly("this server was started with --read-only and changes nothing")
            ask = await self._read(route, request)
            if route.stream is not None:
                return await _streamed(route.stream(ask))
            return _written(route, await run_in_threadpool(_do, route, ask))
        except ClientDisconnect:
            return Response(status_code=_GONE)
        except TooLarge:
            return too_large(self._most)
        except WrongKind as error:
            return refusal(415, "media_type", str(error))
        except Exception as error:
            return explained(error)

    async def _read(self, route: Route, request: Request) -> Ask:
        return Ask(
            desk=self._desk,
            caller=caller_of(route, request),
            words=self._words,
            path=path_of(request),
            query=query_of(route, request),
            body=await self._body(route, request),
            headers=request.headers,
            feed=self._feed,
        )

    async def _body(self, route: Route, request: Request) -> Any:
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > self._most:
                raise TooLarge
        if route.body is None:
            return None
        if not raw and route.body_optional:
            return route.body()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise WrongKind("the body is to be JSON: send it with Content-Type: application/json")
        try:
            value = json.loads(raw, parse_constant=_not_json)
        except (ValueError, RecursionError) as error:
            raise PayloadError(f"the body is not JSON: {error}") from None
        known = [field.alias or name for name, field in route.body.model_fields.items()]
        try:
            return route.body.model_validate(value)
        except ValidationError as error:
            raise PayloadError(f"the body does not fit: {said_of(error, known)}") from None


def _do(route: Route, ask: Ask) -> Any:
    """Call the route; in a thread of its own context, so that what it does is done for whoever asks."""
    with acting_for(ask.caller.user):
        return route.call(ask)


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _written(route: Route, made: Any) -> Response:
    answer = made if isinstance(made, Answer) else Answer(made, route.status)
    if route.text is not None:
        return Response(answer.data, answer.status, SAFE, route.text)
    if route.bare:
        return document(answer.status, answer.data)
    whole = {"success": answer.status < 400, "data": answer.data}
    if answer.pagination is not None:
        whole["pagination"] = answer.pagination
    return document(answer.status, whole)


async def _streamed(messages: AsyncIterator[Message | None]) -> Response:
    """Server-Sent Events; what goes wrong before the first of them is an answer of its own."""
    first = await anext(messages, None)
    return StreamingResponse(_events(first, messages), headers=SAFE, media_type="text/event-stream")


async def _events(first: Message | None, messages: AsyncIterator[Message | None]) -> AsyncIterator[str]:
    async with aclosing(messages):  # type: ignore[type-var]
        yield f"retry: {_RETRY_MS}\n\n"
        yield _event(first)
        try:
            async for message in messages:
                yield _event(message)
        except JobdeskError as error:
            yield _event(Message({"type": "error", "message": str(error)}))


def _event(message: Message | None) -> str:
    if message is None:
        return ": still here\n\n"
    head = "" if message.id is None else f"id: {message.id}\n"
    return f"{head}data: {to_json(message.data)}\n\n"
