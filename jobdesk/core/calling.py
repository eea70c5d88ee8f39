"""Calls of services by jobs: what a processor is given for one, and what counts as its failure."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from jobdesk.core.text import clean
from jobdesk.core.verdict import status

MAIL = "smtp"
"""The name of the mail server of `[email]` among the services."""
TOO_MANY_REQUESTS = 429
_NETWORK = (
    "TransportError",
    "ConnectionError",
    "Timeout",
    "TimeoutException",
    "ProtocolError",
    "ClientConnectionError",
)
"""Classes of httpx, requests, urllib3 and aiohttp; those of Python are OSErrors."""
_LOCAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: `failure` is why the service failed, None if it answered."""

    service: str
    failure: str | None = None


class Call(Protocol):
    """A call that is under way."""

    def answered(self, status: int) -> None:
        """The service answered with this HTTP status: from 500 on, and 429, it failed."""

    def failed(self, why: str) -> None:
        """The service failed in a way that neither a status nor an exception says."""


class Service(Protocol):
    """A service as `[services.NAME]` or `[providers.NAME]` has it, for one job."""

    name: str
    url: str
    """Without a slash at its end."""
    headers: Mapping[str, str]
    """To be sent with each request, the token among them; they hold secrets, so do not log them."""
    timeout: float
    """Seconds that a request may take."""
    signing_secret: str
    """What webhooks are signed with; empty if none is set."""
    options: Mapping[str, Any]
    """The further keys of a provider, with `${env:NAME}` filled in."""

    def call(self) -> AbstractContextManager[Call]:
        """Tell the breaker what comes of what is done in the block.

        Network errors, timeouts, 429 and 5xx are failures, also as exceptions that carry the status; other exceptions
        say nothing of the service.

        Raises:
            ServiceDown: the breaker is open; if it is let through, the job waits without using up an attempt.
        """


def failure_of_status(code: int) -> str | None:
    """Why an HTTP status is a failure of the service, or None: what is wrong with a request is not."""
    return f"HTTP {code}" if code >= 500 or code == TOO_MANY_REQUESTS else None


def called(service: str, error: BaseException | None) -> Called | None:
    """What an exception (None: there was none) says of the service; None if it says nothing of it."""
    if error is None:
        return Called(service)
    code = status(error)
    if code is not None and code >= 400:
        return Called(service, failure_of_status(code))
    if not _is_network(error):
        return None
    if isinstance(reason := getattr(error, "reason", None), OSError):  # urllib puts what happened into an error
        error = reason
    text = clean(" ".join(str(error).split()))
    return Called(service, f"{type(error).__name__}: {text}"[:_REASON_CHARACTERS] if text else type(error).__name__)


def _is_network(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return not isinstance(error, _LOCAL)
    return any(kind.__name__ in _NETWORK for kind in type(error).__mro__)
