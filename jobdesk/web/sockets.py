"""WebSockets: what the streams tell, message by message as JSON, at the same addresses. Clients are not listened to.

A browser cannot send headers with a socket: it offers the protocols `jobdesk` and the token.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from jobdesk.core.errors import JobdeskError
from jobdesk.core.text import to_json
from jobdesk.web.asking import caller_of, path_of, query_of
from jobdesk.web.errors import explained
from jobdesk.web.feed import Feed
from jobdesk.web.route import Ask, Message, Route
from jobdesk.web.words import Words

if TYPE_CHECKING:
    from jobdesk.desk import Desk

PROTOCOL = "jobdesk"


class SocketDoor:
    """What is behind one address for sockets."""

    def __init__(self, desk: "Desk", feed: Feed, words: Words, route: Route) -> None:
        self._desk = desk
        self._feed = feed
        self._words = words
        self._route = route

    async def answer(self, socket: WebSocket) -> None:
        """Tell a client what happens until it, the stream or the server ends."""
        route = self._route
        assert route.stream is not None
        try:
            ask = Ask(
                desk=self._desk,
                caller=caller_of(route, socket),
                words=self._words,
                path=path_of(socket),
                query=query_of(route, socket),
                headers=socket.headers,
                feed=self._feed,
            )
            messages = route.stream(ask)
            first = await anext(messages, None)
        except Exception as error:
            await socket.send_denial_response(explained(error))
            return
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None)
        telling = asyncio.ensure_future(_tell(socket, first, messages))
        gone = asyncio.ensure_future(_until_gone(socket))
        try:
            await asyncio.wait((telling, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, gone):
                task.cancel()
            await asyncio.gather(telling, gone, return_exceptions=True)
        if socket.client_state is WebSocketState.CONNECTED and socket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect):  # it went just now
                await socket.close()


async def _tell(socket: WebSocket, first: Message | None, messages: AsyncIterator[Message | None]) -> None:
    async with aclosing(messages):  # type: ignore[type-var]
        with suppress(WebSocketDisconnect):
            if first is not None:
                await socket.send_text(_text(first))
            try:
                async for message in messages:
                    if message is not None:  # that it is still there the protocol says itself
                        await socket.send_text(_text(message))
            except JobdeskError as error:
                await socket.send_text(_text(Message({"type": "error", "message": str(error)})))


def _text(message: Message) -> str:
    return to_json(message.data if message.id is None else {**message.data, "id": message.id})


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
