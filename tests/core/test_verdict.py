"""Which exceptions are worth another attempt; real ones of urllib, and others by their shape."""

import socket
import urllib.error
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest

from jobdesk.core.outcome import Failed, of_exception
from jobdesk.core.verdict import retry_after_s, retryable, status


class HTTPStatusError(Exception):
    """As httpx and requests have it: the status is the response's."""

    def __init__(self, code: int, **headers: str) -> None:
        super().__init__(f"status {code}")
        self.response = SimpleNamespace(status_code=code, headers=headers)


class ClientResponseError(Exception):
    """As aiohttp has it."""

    status = 503


class ValidationError(ValueError):
    pass


class SMTPAuthenticationError(Exception):
    pass


def http(code: int, **headers: str) -> urllib.error.HTTPError:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("http://x/", code, "no", message, None)


@pytest.mark.parametrize("make", [HTTPStatusError, http])
@pytest.mark.parametrize(
    ("code", "again"),
    [(400, False), (401, False), (403, False), (404, False), (422, False), (408, True), (425, True), (429, True)]
    + [(code, True) for code in (500, 502, 503, 504)],
)  # fmt: skip
def test_the_http_status_decides(make: Any, code: int, again: bool) -> None:
    assert status(make(code)) == code
    assert retryable(make(code)) is again


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ConnectionResetError(), True), (TimeoutError(), True), (socket.gaierror(), True), (OSError(), True),
        (urllib.error.URLError("refused"), True), (ClientResponseError(), True), (RuntimeError(), True),
        (ValueError(), True), (SystemExit(2), True),
        (ValidationError(), False), (SMTPAuthenticationError(), False), (PermissionError(), False),
    ],
)  # fmt: skip
def test_without_a_status_the_kind_does(error: BaseException, again: bool) -> None:
    assert retryable(error) is again


def test_settings_name_classes_and_the_nearest_decides() -> None:
    assert not retryable(ConnectionResetError(), permanent=["OSError"])
    assert retryable(ConnectionResetError(), permanent=["OSError"], retry_on=["ConnectionError"])
    assert retryable(HTTPStatusError(404), retry_on=["HTTPStatusError"])
    assert not retryable(HTTPStatusError(500), permanent=[f"{__name__}.HTTPStatusError"])


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    now = 1_800_000_000.0
    assert retry_after_s(http(429, Retry_After="17"), now) == 17
    assert retry_after_s(HTTPStatusError(503, **{"Retry-After": "Fri, 15 Jan 2027 08:01:30 GMT"}), now) == 90
    assert retry_after_s(http(503, Retry_After="soon"), now) is None
    assert retry_after_s(http(503), now) is None
    assert retry_after_s(http(429, Retry_After="999999999"), now) == 86400
    outcome = of_exception(http(429, Retry_After="17"), now=now)
    assert isinstance(outcome, Failed) and outcome.delay_s == 17 and outcome.error.retryable
    outcome = of_exception(http(404, Retry_After="17"), now=now)
    assert isinstance(outcome, Failed) and outcome.delay_s is None and not outcome.error.retryable
