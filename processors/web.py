"""One HTTP request of a job: bounded in time, size and redirects; what is meant for one place is sent to no other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from jobdesk import Call, Context, Reject, Service, __version__

from . import reaching

TIMEOUT_S = 30.0
_SAID_BYTES = 300
_PRIVATE = ("authorization", "cookie", "proxy-authorization")
"""Headers that hold secrets: they stand in the settings of a service, never in a payload, which is stored."""
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpStatus(Exception):
    """The answer had a status that was not wanted; whether to try again is decided by it, and by Retry-After."""

    def __init__(self, message: str, status_code: int, headers: httpx.Headers) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.headers = headers


@dataclass(frozen=True)
class Wanted:
    """A request. `expect` are statuses that are wanted: 204, or "2xx"."""

    method: str
    url: str | None = None
    path: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    expect: Sequence[int | str] = ("2xx",)
    timeout_s: float | None = None
    redirects: int = 5
    max_bytes: int = 10_000_000


@dataclass(frozen=True)
class Reply:
    """The answer; its body is in `file`, in the working folder."""

    status: int
    url: str
    headers: Mapping[str, str]
    file: Path
    bytes: int
    seconds: float


def ask(ctx: Context, wanted: Wanted, service: Service | None) -> Reply:
    """Send a request, to a service or to a URL, and take in the whole answer.

    Raises:
        Reject: the request makes no sense, the answer is too long, or it is redirected too often.
        HttpStatus: the status is not one of those that are expected.
        ConnectionError, TimeoutError: the place does not answer, or not in time.
        ServiceDown: the breaker of the service is open.
    """
    url, headers = _address(wanted, service), _headers(wanted, service)
    timeout_s = wanted.timeout_s or (service.timeout if service else TIMEOUT_S)
    began = time.monotonic()
    deadline = began + min(timeout_s, ctx.time_remaining)
    call: AbstractContextManager[Call | None] = service.call() if service else nullcontext()
    with call as telling, explained(wanted.method, url), _client(ctx, timeout_s, service) as client:
        request = client.build_request(
            wanted.method, url, params=dict(wanted.query) or None, headers=headers, content=wanted.content
        )
        for _ in range(wanted.redirects + 1):
            response = client.send(request, stream=True)
            try:
                if telling is not None:
                    telling.answered(response.status_code)
                if wanted.redirects and response.status_code in _REDIRECTS and response.next_request is not None:
                    request = _redirected(request, response.next_request, service)
                    continue
                return _reply(ctx, wanted, response, began, deadline)
            finally:
                response.close()
    raise Reject(f"{plain(url)} redirects more than {wanted.redirects} times")


def _client(ctx: Context, timeout_s: float, service: Service | None) -> httpx.Client:
    return reaching.client(ctx, timeout_s, own=service.url if service else None)


def plain(url: str) -> str:
    """A URL as people may see it: what may hold a secret is left out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _address(wanted: Wanted, service: Service | None) -> str:
    if service is not None:
        if wanted.url is not None:
            raise Reject("give url, or service with path, not both")
        return service.url + (f"/{wanted.path.lstrip('/')}" if wanted.path else "")
    if wanted.url is None:
        raise Reject("say where to: give url, or service with path")
    if wanted.path:
        raise Reject("path belongs to a service: put it into the url")
    try:
        if urlsplit(wanted.url).hostname is None:
            raise ValueError("it names no host")
    except ValueError as error:
        raise Reject(f"'{wanted.url}' is not a URL: {error}") from None
    return wanted.url


def _headers(wanted: Wanted, service: Service | None) -> dict[str, str]:
    given = {name.lower(): value for name, value in wanted.headers.items()}
    for name, value in given.items():
        if name in _PRIVATE:
            raise Reject(f"the header {name} holds a secret, and payloads are stored: put it into [services.NAME]")
        if not (name.isascii() and name.isprintable() and value.isprintable()):
            raise Reject(f"the header {name!r} has a character that no header may have")
    own = {"user-agent": f"jobdesk/{__version__}", "accept-encoding": "identity"}
    return own | {name.lower(): value for name, value in (service.headers if service else {}).items()} | given


def _redirected(former: httpx.Request, request: httpx.Request, service: Service | None) -> httpx.Request:
    """The request that a redirect asks for; to another place it takes no secret along."""
    if (former.url.scheme, former.url.host, former.url.port) != (
        request.url.scheme,
        request.url.host,
        request.url.port,
    ):
        for name in (*_PRIVATE, *(service.headers if service else ())):
            request.headers.pop(name, None)
    return request


def _reply(ctx: Context, wanted: Wanted, response: httpx.Response, began: float, deadline: float) -> Reply:
    file = ctx.workdir / "answer"
    size = 0
    with file.open("wb") as stream:
        for block in response.iter_bytes(65536):
            ctx.checkpoint()
            size += len(block)
            if size > wanted.max_bytes:
                raise Reject(f"the answer is longer than {wanted.max_bytes:,} bytes: raise max_bytes", "TooLong")
            if time.monotonic() > deadline:
                raise TimeoutError("the answer was not complete in time")
            stream.write(block)
    seconds = round(time.monotonic() - began, 3)
    where = plain(str(response.url))
    ctx.log.info(f"{wanted.method} {where}: HTTP {response.status_code}, {size:,} bytes in {seconds:g} s")
    if not _is_expected(response.status_code, wanted.expect):
        words = " ".join(file.read_bytes()[:_SAID_BYTES].decode("utf-8", "replace").split())
        said = f"{wanted.method} {where} answered HTTP {response.status_code}{': ' + words if words else ''}"
        raise HttpStatus(said, response.status_code, response.headers)
    headers = {name: value for name, value in response.headers.items() if name not in ("set-cookie", *_PRIVATE)}
    return Reply(response.status_code, where, headers, file, size, seconds)


def _is_expected(status: int, expect: Sequence[int | str]) -> bool:
    return any(str(one) in (str(status), f"{status // 100}xx") for one in expect)


@contextmanager
def explained(method: str, url: str) -> Iterator[None]:
    """Say of network errors which request they met."""
    where = f"{method} {plain(url)}"
    try:
        yield
    except httpx.TimeoutException:
        raise TimeoutError(f"{where}: no answer in time") from None
    except TimeoutError as error:
        raise TimeoutError(f"{where}: {error}") from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        raise Reject(f"{where}: {error}") from None
    except httpx.TransportError as error:
        raise ConnectionError(f"{where}: {str(error) or type(error).__name__}") from None
