"""The terminal app in browsers: a web server that opens an app, in a process of its own, for each tab.

The terminal in the page and what carries it are textual-serve's. Its server trusts whoever reaches the port, which on
a machine with several users, or a browser with a hostile page open, is anybody; so the door is ours: a key, which the
first visit turns into a cookie, and a look at where a page that opens a socket comes from.
"""

import asyncio
import hmac
import json
import logging
import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from jobdesk.core.errors import UsageError

LETTING_GO_S = 10.0
"""How long the apps may take to close when the server ends; what they run is handed over or given back."""
_LARGEST = 2000
"""Columns and rows of a terminal."""
_NOT_LET_IN = "Open the whole address that `jobdesk web` printed: it holds the key.\n"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(home: Path, host: str, port: int, *, read_only: bool, ready: Callable[[str], None]) -> int:
    """Serve the app of a home until SIGINT or SIGTERM; the exit code.

    Args:
        ready: called with the address, key included, once it can be opened.

    Raises:
        UsageError: it cannot listen there.
    """
    logging.getLogger("textual-serve").addHandler(logging.NullHandler())
    return asyncio.run(_Server(command(home, read_only), port).run(host, ready))


def command(home: Path, read_only: bool) -> str:
    """What the shell runs for a tab. It is no program of the terminal or desktop that the server was started from."""
    words = [sys.executable, "-m", "jobdesk", "--home", str(home), "--read-only" if read_only else "--attach"]
    return f"unset TMUX DISPLAY WAYLAND_DISPLAY; exec {shlex.join(words)}"


class _Server:
    def __init__(self, command: str, port: int) -> None:
        self._command = command
        self._port = port
        self._key = secrets.token_urlsafe(24)
        self._tabs: set[web.WebSocketResponse] = set()
        self._apps: set[_App] = set()
        self._page = files("jobdesk_assets").joinpath("web.html").read_text("utf-8")

    async def run(self, host: str, ready: Callable[[str], None]) -> int:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, over.set)
        app = web.Application(middlewares=[self._at_the_door])
        app.add_routes([web.get("/", self._index), web.get("/ws", self._socket)])
        app.router.add_static("/static", Path(textual_serve.__file__).parent / "static")
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=LETTING_GO_S, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, self._port)
            try:
                await site.start()
            except OSError as error:
                raise UsageError(
                    f"cannot listen on {host} port {self._port} ({error.strerror}): choose with --host and --port"
                ) from None
            self._port = runner.addresses[0][1]
            ready(f"http://{_named(host)}:{self._port}/?key={self._key}")
            await over.wait()
        finally:
            for tab in list(self._tabs):
                await tab.close()
            await runner.cleanup()
            for one in list(self._apps):
                one.kill()
        return 0

    # ── the door ──

    @property
    def _cookie(self) -> str:
        return f"jobdesk-{self._port}"  # browsers share cookies among ports

    @web.middleware
    async def _at_the_door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/" and self._fits(request.query.get("key")):
            answer = web.HTTPFound("/")
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="Lax")
            raise answer
        if not self._fits(request.cookies.get(self._cookie)) or not _own_page(request):
            raise web.HTTPForbidden(text=_NOT_LET_IN)
        return await handler(request)

    def _fits(self, key: str | None) -> bool:
        return key is not None and hmac.compare_digest(key.encode(), self._key.encode())

    # ── what is inside ──

    async def _index(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        tab = web.WebSocketResponse(heartbeat=15)
        await tab.prepare(request)
        self._tabs.add(tab)

        async def close() -> None:
            await tab.close()

        app = _App(
            self._command, write_bytes=tab.send_bytes, write_str=tab.send_str, close=close,
            download_manager=DownloadManager(),
        )  # fmt: skip
        self._apps.add(app)
        try:
            await app.start(_size(request, "width", 80), _size(request, "height", 24))
            await app.talk(tab)
        finally:
            self._tabs.discard(tab)
            try:
                await asyncio.wait_for(app.stop(), LETTING_GO_S)
            except TimeoutError:
                app.kill()
            self._apps.discard(app)
        return tab


class _App(AppService):
    """The app of one tab."""

    async def talk(self, tab: web.WebSocketResponse) -> None:
        """Pass on what the tab says until it or the app is closed."""
        assert self._task is not None
        self._task.add_done_callback(lambda _: asyncio.ensure_future(tab.close()))  # also an app that failed
        async for message in tab:
            if message.type is WSMsgType.TEXT and (words := _words(message.data)):
                await self._hear(*words)

    async def _hear(self, kind: object, said: object) -> None:
        if kind == "stdin":
            await self.send_bytes(str(said).encode(errors="replace"))
        elif kind == "resize" and isinstance(said, dict):
            await self.set_terminal_size(_bounded(said.get("width")), _bounded(said.get("height")))
        elif kind == "ping":
            await self.remote_write_str(json.dumps(["pong", said]))
        elif kind == "blur":
            await self.blur()
        elif kind == "focus":
            await self.focus()

    def kill(self) -> None:
        """It does not end by itself: what it runs is rescued by whoever works next."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)


def _named(host: str) -> str:
    """An address as it is written in a URL."""
    if host in ("0.0.0.0", "::"):  # every address of this machine
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _own_page(request: web.Request) -> bool:
    """Whether the page that asks is ours: other pages in the same browser send our cookie too."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _words(text: str) -> tuple[object, object] | None:
    """What a page says, `[kind]` or `[kind, more]`; None if it says something else, which is passed over."""
    try:
        match json.loads(text):
            case [kind]:
                return kind, None
            case [kind, more]:
                return kind, more
    except (ValueError, RecursionError):
        pass
    return None


def _size(request: web.Request, name: str, usual: int) -> int:
    return _bounded(request.query.get(name), usual)


def _bounded(value: object, usual: int = 80) -> int:
    try:
        return max(1, min(_LARGEST, int(str(value))))
    except ValueError:
        return usual
