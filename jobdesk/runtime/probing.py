"""Asking a service whether it is there: one GET, whose answer counts if it is below 500."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from jobdesk.core.calling import failure_of_status

MOST_S = 10.0
"""A health URL that takes longer is not well."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer; secrets of one place are not sent to another."""

    def redirect_request(self, *_: Any) -> None:
        return None


def probe(url: str, timeout_s: float, headers: Mapping[str, str] | None = None) -> tuple[bool, str]:
    """Whether the service at the URL answers, and what, in words. It is not told of the breaker."""
    request = urllib.request.Request(url, headers={"User-Agent": "jobdesk", **(headers or {})})
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(request, timeout=min(timeout_s, MOST_S)) as answer:
            return True, f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return failure_of_status(error.code) is None, f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return False, _words(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, _words(error)


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
