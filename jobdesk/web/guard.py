"""Who is let in, before a body is read: host, rate, page of another site, token, length, in this order."""

import math

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from jobdesk.web import access
from jobdesk.web.errors import refusal
from jobdesk.web.rate import RateLimit


class Guard:
    """Refuses what may not come in; the rest goes on to the application.

    Args:
        token: None lets everybody in.
        names: what the server may be called, beside addresses and localhost.
        origins: pages of other sites that may ask.
        max_body: bytes that a request may announce.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        names: frozenset[str],
        origins: frozenset[str],
        rate: RateLimit,
        max_body: int,
    ) -> None:
        self._app = app
        self._token = token
        self._names = names
        self._origins = origins
        self._rate = rate
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        refused = self._refused(scope, Headers(scope=scope))
        await (self._app if refused is None else refused)(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        if not access.is_ours(headers.get("host", ""), self._names):
            return refusal(
                403, "host", "this name is not served here: call it by address, or name it in hosts of [http]"
            )
        client = scope.get("client")
        wait_s = self._rate.wait_s(client[0] if client else "")
        if wait_s:
            later = {"Retry-After": str(math.ceil(wait_s))}
            return refusal(429, "rate_limit", "too many requests: try again later (rate_limit of [http])", later)
        if self._is_foreign(headers):
            return refusal(403, "origin", "pages of other sites may not ask: name them in origins of [http]")
        if self._token is not None and not _shows(scope, headers, self._token):
            return refusal(
                401,
                "unauthorized",
                "the token is missing or wrong: send what is in HOME/http.token, or named in [http], as a bearer token",
                {"WWW-Authenticate": 'Bearer realm="jobdesk"'},
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._max_body:
            return too_large(self._max_body)
        return None

    def _is_foreign(self, headers: Headers) -> bool:
        """Whether a browser asks for a page of another site: it could make anybody's browser submit jobs."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")
        return origin not in self._origins and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def _shows(scope: Scope, headers: Headers, token: str) -> bool:
    """Whether a request has the token: as a bearer token, or among the protocols that a socket offers."""
    offered = scope.get("subprotocols", ())
    return access.is_shown(headers.get("authorization", ""), token) or any(
        access.is_shown(f"Bearer {one}", token) for one in offered
    )


def too_large(most: int) -> Response:
    """The answer to a body that is too long."""
    return refusal(413, "too_large", f"a request may have {most:,} bytes (max_body of [http])", {"Connection": "close"})
