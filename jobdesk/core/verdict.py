"""Whether an exception can be mended by trying again: by what the settings name, by HTTP status, by kind.

Exceptions of requests, httpx, aiohttp and urllib are known by their shape, so none of them is imported.
"""

from collections.abc import Collection, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

RETRY_AFTER_MOST_S = 24 * 3600.0
"""A server may ask for no longer a wait than this."""
_AGAIN = frozenset({408, 425, 429})
_PERMANENT = frozenset(
    {
        "PermissionError", "NotImplementedError", "SyntaxError", "AuthError", "Unauthorized", "Forbidden",
        "InvalidURL", "MissingSchema", "InvalidSchema", "UnsupportedProtocol", "InvalidCredentials",
        "AccessDenied", "SSLCertVerificationError",
    }
)  # fmt: skip
_PERMANENT_ENDINGS = ("ValidationError", "AuthenticationError", "AuthenticationFailed", "AuthorizationError")


def retryable(error: BaseException, permanent: Collection[str] = (), retry_on: Collection[str] = ()) -> bool:
    """Whether to try again.

    Args:
        permanent: class names, plain or with their module, that are never tried again.
        retry_on: class names that are, whatever status or kind say; the class nearest to the error decides.
    """
    for kind in type(error).__mro__:
        names = {kind.__name__, f"{kind.__module__}.{kind.__qualname__}"}
        if not names.isdisjoint(permanent):
            return False
        if not names.isdisjoint(retry_on):
            return True
    code = status(error)
    if code is not None and 400 <= code < 600:
        return code >= 500 or code in _AGAIN
    return not any(
        kind.__name__ in _PERMANENT or kind.__name__.endswith(_PERMANENT_ENDINGS) for kind in type(error).__mro__
    )


def status(error: BaseException) -> int | None:
    """The HTTP status that an exception carries; None if it carries none."""
    response = getattr(error, "response", None)
    for owner, name in (
        (response, "status_code"), (response, "status"), (error, "status_code"), (error, "status"), (error, "code"),
    ):  # fmt: skip
        value = getattr(owner, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
            return int(value)
    return None


def retry_after_s(error: BaseException, now: float) -> float | None:
    """Seconds that a server asked to wait (`Retry-After`, as a number or a date); None if it did not."""
    if status(error) is None:
        return None
    for owner in (getattr(error, "response", None), error):
        headers: Any = getattr(owner, "headers", None)
        if headers is None or not hasattr(headers, "get"):
            continue
        asked = headers.get("Retry-After")
        if asked is None and isinstance(headers, Mapping):
            asked = headers.get("retry-after")
        if asked is not None:
            return _wait_s(str(asked).strip(), now)
    return None


def _wait_s(text: str, now: float) -> float | None:
    if text.replace(".", "", 1).isdecimal():
        return min(float(text), RETRY_AFTER_MOST_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return min(max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now), RETRY_AFTER_MOST_S)
