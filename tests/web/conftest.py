"""A home with a server on a free port of loopback, and a client that shows the token."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobdesk import Desk
from jobdesk.web import access
from jobdesk.web.server import WebServer
from tests.support.home import make_home

PROCESSORS = """
from pathlib import Path
from jobdesk import Context, Reject, processor

@processor("greet", isolation="thread")
def greet(ctx: Context, name: str, times: int = 1) -> dict:
    "Say hello."
    for done in range(times):
        ctx.log.info(f"hello {name}")
        ctx.progress(done + 1, times, "greeting")
    return {"greeted": name}

@processor("refuse", isolation="thread")
def refuse(ctx: Context) -> None:
    "Never works."
    raise Reject("it never works")

@processor("until")
def until(ctx: Context, file: Path) -> str:
    "Run until a file is there."
    import time
    ctx.progress(1, 4, "waiting")
    while not file.exists():
        ctx.checkpoint()
        time.sleep(0.01)
    return "seen"
"""


@dataclass(frozen=True)
class Served:
    """A desk, its server, and a client of it."""

    desk: Desk
    server: WebServer
    client: httpx.Client
    token: str | None

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """The document at a path; the test fails if it is answered with another status."""
        return self.ask("GET", path, status, **options)

    def post(self, path: str, json: Any = None, status: int = 200, **options: Any) -> Any:
        return self.ask("POST", path, status, json=json, **options)

    def delete(self, path: str, status: int = 200, **options: Any) -> Any:
        return self.ask("DELETE", path, status, **options)

    def ask(self, method: str, path: str, status: int, **options: Any) -> Any:
        answer = self.client.request(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Begin a server; settings are TOML, `consumer` runs jobs beside it."""
    with ExitStack() as stack:

        def begin(
            settings: str = "", *, consumer: bool = False, with_token: bool = True, read_only: bool = False
        ) -> Served:
            home = tmp_path / "home"
            if not home.exists():
                make_home(tmp_path, PROCESSORS, settings)
            desk = Desk(home, read_only=read_only)
            stack.callback(desk.close)
            token = access.token(desk.home, desk.config.http, read_only=read_only) if with_token else None
            if consumer:
                engine = desk.engine("consumer", 2)
                engine.start()
                stack.callback(engine.stop, 0.0)
            server = WebServer(desk, "127.0.0.1", 0, token)
            server.start()
            stack.callback(server.stop)
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            client = httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False)
            stack.callback(client.close)
            return Served(desk, server, client, token)

        yield begin


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()
