"""Calls of services that take JSON and answer JSON."""

import json
from collections.abc import Mapping
from typing import Any

from jobdesk import Context, Reject

MOST_BYTES = 50_000_000


def post(ctx: Context, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """POST a JSON object to a service and read the object that it answers; the same Idempotency-Key in all attempts.

    Raises:
        Reject: the service is not configured (`NotConfigured`), or what it answers is no JSON object (`BadAnswer`).
        HttpStatus, ConnectionError, TimeoutError, ServiceDown: as `web.ask` says.
    """
    from jobdesk_processors.web import Wanted, ask  # httpx takes a while to load, and whoever submits needs none

    headers = {"content-type": "application/json", "accept": "application/json", "idempotency-key": ctx.job}
    content = json.dumps(body, ensure_ascii=False).encode()
    wanted = Wanted("POST", path=path, headers=headers, content=content, max_bytes=MOST_BYTES)
    reply = ask(ctx, wanted, ctx.service(service))
    try:
        said = json.loads(reply.file.read_bytes())
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Reject(f"service '{service}' answered {path} with something that is no JSON object", "BadAnswer")
    return said
