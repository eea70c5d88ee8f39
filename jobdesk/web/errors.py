"""What errors are over HTTP: a status, and `{"success": false, "error": {"code", "message"}}`."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from jobdesk.core.errors import JobdeskError
from jobdesk.core.nearest import nearest
from jobdesk.core.redaction import redact
from jobdesk.core.text import to_json

STATUSES: Mapping[str, int] = {
    "usage": 400,
    "query": 400,
    "payload": 400,
    "type": 400,
    "read_only": 403,
    "forbidden": 403,
    "not_found": 404,
    "refused": 409,
    "full": 503,
    "home": 503,
    "ledger": 503,
    "config": 500,
}
"""By the code of the error; what is not here is 500."""
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer."""
_LATER_S = 5


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says why not."""
    return document(status, {"success": False, "error": {"code": code, "message": redact(message)}}, headers)


def document(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(to_json(value), status, {**SAFE, **(headers or {})}, "application/json")


def explained(error: Exception) -> Response:
    """The answer to an error; one that nobody expected goes to the log, and no more than that is said of it."""
    if isinstance(error, JobdeskError):
        status = STATUSES.get(error.code, 500)
        return refusal(status, error.code, str(error), {"Retry-After": str(_LATER_S)} if status == 503 else None)
    logging.getLogger("jobdesk").error("a request could not be answered", exc_info=error)
    return refusal(500, "internal", f"something went wrong inside jobdesk ({type(error).__name__}): see its log")


def said_of(error: ValidationError, known: list[str]) -> str:
    """What is wrong with a body or a query, in one sentence; `known` are the keys that it takes."""
    parts = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        if item["type"] == "missing":
            parts.append(f"'{key}' is missing")
        elif item["type"] == "extra_forbidden":
            parts.append(f"'{key}' is not taken{nearest(key, known) or '; it takes ' + ', '.join(known)}")
        else:
            what = f"'{key}' is wrong: " if key else ""
            parts.append(what + item["msg"].removeprefix("Value error, "))
    return "; ".join(dict.fromkeys(parts))
