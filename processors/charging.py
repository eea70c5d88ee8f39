"""What a payment is to a provider, and what may come of asking one for it."""

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from jobdesk import Call, Context, Reject, Service
from jobdesk_processors import web

_KEYS = uuid.UUID("1f6f5c52-1a0a-5d0e-9c0e-6a6f62646573")
KEY_LIVES_S = 23 * 3600
"""Stripe and YooKassa forget idempotency keys after 24 hours; a margin for clocks and slow requests."""
NOT_ASKED = ("amount", "payment_method")
"""Reasons of those who reject a payment before they ask the provider to make it."""


@dataclass(frozen=True)
class Payment:
    """One attempt of a payment. `unknown`: it was begun before, and nobody knows what came of it."""

    provider: str
    name: str
    amount: int
    currency: str
    attempt: int
    unknown: bool
    key_age_s: float
    key_at: float
    reference: str | None
    method: str | None
    customer: str | None
    description: str

    def key(self, what: str) -> str:
        """An idempotency key: the same for the same attempt, whatever job makes it."""
        return str(uuid.uuid5(_KEYS, "\0".join((self.provider, self.name, what))))

    @property
    def key_of_attempt(self) -> str:
        return self.key(f"attempt {self.attempt}")


@dataclass(frozen=True)
class Came:
    """What came of it. `declined` and `refused`: nothing was charged; the first may be tried again."""

    state: Literal["succeeded", "pending", "declined", "refused", "invalid"]
    reference: str | None = None
    code: str | None = None
    message: str = ""
    link: str | None = None
    """Where the customer pays."""


class Provider(Protocol):
    """How payments are asked for at one provider."""

    def find(self, payment: Payment) -> Came | None:
        """What the provider knows of the payment: of this attempt, or that it is paid or under way at all."""

    def charge(self, payment: Payment) -> Came:
        """Make the attempt; the same attempt again must charge nothing more."""


@dataclass
class Authorized:
    """A service with an Authorization header of another kind than Bearer."""

    inner: Service
    name: str
    url: str
    headers: Mapping[str, str]
    timeout: float
    signing_secret: str
    options: Mapping[str, Any]

    def call(self) -> AbstractContextManager[Call]:
        return self.inner.call()


def authorized(service: Service, how: Literal["Basic", "token"], user: str = "") -> Service:
    """The service with its token sent as Basic (with a user) or as `token`."""
    headers = {name.lower(): value for name, value in service.headers.items()}
    token = headers.get("authorization", "").removeprefix("Bearer ")
    if token and how == "Basic":
        token = base64.b64encode(f"{user}:{token}".encode()).decode()
    headers |= {"authorization": f"{how} {token}"} if token else {}
    return Authorized(
        service, service.name, service.url, headers, service.timeout, service.signing_secret, service.options
    )


def option(service: Service, name: str) -> str:
    """A key of `[providers.NAME]` that this provider needs.

    Raises:
        Reject: it is not there.
    """
    value = service.options.get(name)
    if not value:
        raise Reject(f"[providers.{service.name}] has no {name}: write it into jobdesk.toml", "NotConfigured")
    return str(value)


class BadAnswer(Exception):
    """A provider answered what cannot be understood: nobody knows what came of it."""


def ask(
    ctx: Context,
    service: Service,
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    expect: Sequence[int | str] = ("2xx",),
) -> tuple[int, Any]:
    """Send a request and read its JSON; see `web.ask` for what it raises.

    Raises:
        BadAnswer: the answer is no JSON.
    """
    sent, content = dict(headers or {}), None
    if form is not None:
        content, sent["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
    elif body is not None:
        content, sent["content-type"] = json.dumps(body).encode(), "application/json"
    wanted = web.Wanted(method, path=path, query=query or {}, headers=sent, content=content, expect=expect, redirects=0)
    reply = web.ask(ctx, wanted, service)
    try:
        return reply.status, json.loads(reply.file.read_bytes())
    except ValueError:
        if 400 <= reply.status < 500:
            return reply.status, {}
        raise BadAnswer(f"{method} {reply.url} answered what is no JSON") from None
