"""`jobdesk serve`: the HTTP API, until it is told to stop."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group, number
from jobdesk.core.errors import UsageError

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.web.server import WebServer

_MORE = """
  jobdesk serve                        # http://127.0.0.1:8420, with the token in HOME/http.token
  curl -H "Authorization: Bearer $(cat HOME/http.token)" http://127.0.0.1:8420/api/v1/jobs

It looks and submits; jobs are run by consumers, or by the server itself with --consumer. /openapi.json describes
every address. See [http] in the settings. Needs: pip install "jobdesk[http]"."""


def add(commands: Group) -> None:
    parser = commands.command("serve", "answer other programs over HTTP", _serve, more=_MORE)
    parser.add_argument(
        "--port", type=number(0), metavar="N", help="0: any that is free (default: as the settings say)"
    )
    parser.add_argument("--host", metavar="ADDRESS", help="what to listen on (default: as the settings say, 127.0.0.1)")
    parser.add_argument("--no-token", action="store_true", help="let every program of this machine in")
    parser.add_argument(
        "--consumer", action="store_true", default=argparse.SUPPRESS, help="run jobs too, in the same process"
    )


def _serve(args: Args, out: Out) -> int:
    _check_extra()
    from jobdesk.cli.consumer import signals, work

    with signals() as hearing, opened(args, "api") as desk, _serving(desk, args, out):
        if args.consumer:
            return work(desk, out, hearing, drain=False)
        if not desk.consumers():
            out.note("this server looks and submits; no consumer runs jobs: `jobdesk --consumer`, or serve --consumer")
        hearing.wait(None)
        return 0


@contextmanager
def _serving(desk: "Desk", args: Args, out: Out) -> Iterator[None]:
    """Serve as long as the block lasts."""
    import logging

    from jobdesk import logs
    from jobdesk.web import access
    from jobdesk.web.server import WebServer

    settings = desk.config.http
    token = None if args.no_token else access.token(desk.home, settings, read_only=desk.read_only)
    host, port = args.host or settings.host, settings.port if args.port is None else args.port
    server = WebServer(desk, host, port, token)
    if not desk.read_only:
        own = desk.config.logs
        logs.to_file(desk.home.logs, level=own.level, max_bytes=own.max_bytes, keep=own.keep)
    server.start()
    logging.getLogger("jobdesk").info("HTTP: %s", server.url)
    _say(server, desk, args, out, host)
    try:
        yield
    finally:
        server.stop()


def _say(server: "WebServer", desk: "Desk", args: Args, out: Out, host: str) -> None:
    from jobdesk.web import access

    file = None if args.no_token or desk.config.http.token else str(desk.home.http_token)
    if out.json:
        out.record({"url": server.url, "token_file": file, "consumer": args.consumer, "read_only": desk.read_only})
        return
    out.line(server.url, flush=True)
    if args.no_token:
        out.note("without a token: every program of this machine may use it")
    elif file is not None:
        out.note(f"the token is in {file}")
    if not access.is_loopback(host):
        out.note("token and jobs cross the network as they are: put a proxy that speaks TLS in front")


def _check_extra() -> None:
    """
    Raises:
        UsageError: what the server needs is not installed.
    """
    from importlib.util import find_spec

    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise UsageError('serving needs two more libraries: pip install "jobdesk[http]"')
