"""The server: uvicorn in a thread, on a socket that is bound before anybody is told of it."""

import asyncio
import logging
import socket
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import uvicorn

from jobdesk.core.errors import UsageError
from jobdesk.web.access import is_loopback
from jobdesk.web.app import application
from jobdesk.web.feed import Feed

if TYPE_CHECKING:
    from jobdesk.desk import Desk

CONNECTIONS = 1000
"""At once; whoever comes beyond is told to come later."""
HEARD_BYTES = 1_000
"""Of a message of a client on a WebSocket; none is looked at."""
GRACE_S = 5.0
"""How long requests under way may take once a stop is asked; streams end at once."""


class WebServer:
    """Serves the API of a desk until it is stopped.

    Args:
        host: an address of this machine; others than loopback need a token.
        port: 0 takes any that is free.
        token: what programs have to show; None lets everybody of this machine in.

    Raises:
        UsageError: the address is taken or not ours to take, or it would be open to others without a token.
    """

    def __init__(self, desk: "Desk", host: str, port: int, token: str | None) -> None:
        if token is None and not is_loopback(host):
            raise UsageError(f"without a token only this machine may be served: leave out --no-token, or --host {host}")
        self._feed = Feed(desk, desk.config.http.streams)
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}"
        proxies = desk.config.http.proxies
        _ = desk.registry  # found by one thread, before several ask for it
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                application(desk, self._feed, token, host),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ws="websockets-sansio" if find_spec("websockets") is not None else "none",
                ws_max_size=HEARD_BYTES,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=int(GRACE_S),
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies,
            )
        )
        self._thread = threading.Thread(target=self._run, name="jobdesk-http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        _take_over_log()
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, end the streams, let what is under way finish; a second call does nothing."""
        self._feed.close()
        self._uvicorn.ask_to_stop()
        self._thread.join(GRACE_S + 2)
        if self._thread.is_alive():
            self._uvicorn.force_exit = True
            self._thread.join(2)
        self._socket.close()

    @property
    def streams(self) -> int:
        """Open now."""
        return self._feed.open

    @property
    def follows(self) -> bool:
        """Whether it looks for changes, for the streams there are."""
        return self._feed.follows

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._uvicorn.serve(sockets=[self._socket]))
        except Exception:
            logging.getLogger("jobdesk").exception("the HTTP server died")


class _Uvicorn(uvicorn.Server):
    """One that rests: uvicorn's own looks ten times a second whether it is to stop."""

    _asked: asyncio.Event | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Let time go by until a stop is asked; each second the date of answers is renewed."""
        self._asked, self._loop = asyncio.Event(), asyncio.get_running_loop()
        ticks = 0  # in tenths, as uvicorn counts
        while not await self.on_tick(ticks):
            ticks += 10
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), 1.0)

    def ask_to_stop(self) -> None:
        """Any thread may call it."""
        self.should_exit = True
        if self._loop is not None and self._asked is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._asked.set)


def _take_over_log() -> None:
    """Let uvicorn's warnings go where jobdesk's own lines go, and nowhere else."""
    log = logging.getLogger("uvicorn.error")
    log.handlers = logging.getLogger("jobdesk").handlers or [logging.NullHandler()]
    log.propagate = False
    log.setLevel(logging.WARNING)


def _bound(host: str, port: int) -> socket.socket:
    if port > 65_535:  # getaddrinfo would take what is left of it
        raise UsageError(f"port {port} cannot be used: ports go up to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(128)
        except BaseException:
            made.close()
            raise
        return made
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{host} port {port} cannot be used ({why}): choose another --host or --port") from None
