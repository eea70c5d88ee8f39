"""Webhooks: an event sent to whoever wants it, signed as Standard Webhooks has it, at least once."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, Reject, processor

_PREFIX = "whsec_"


@processor("webhook", timeout="1m", retries=16, retry_delay="5s", backoff="exponential", service="{service}")
def webhook(
    ctx: Context,
    event: Annotated[str, Field(min_length=1)],
    data: Any = None,
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None,
    service: str | None = None,
    path: str = "",
    id: Annotated[str, Field(pattern=r"^[^\s.]+$")] | None = None,
    headers: dict[str, str] = {},  # noqa: B006  pydantic copies it
) -> dict[str, Any]:
    """Send an event until somebody takes it; each attempt has the same id, so that it can be told from a new one."""
    from jobdesk_processors.web import Wanted, ask  # httpx takes a while to load, and whoever submits needs none

    event_id = id or ctx.job
    at = int(time.time())
    told = {"id": event_id, "type": event, "timestamp": datetime.fromtimestamp(at, UTC).isoformat(), "data": data}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    receiver = ctx.service(service) if service else None
    sent = {**headers, "content-type": "application/json", "webhook-id": event_id, "webhook-timestamp": str(at)}
    if receiver is not None and receiver.signing_secret:
        sent["webhook-signature"] = signature(receiver.signing_secret, event_id, at, body)
    reply = ask(ctx, Wanted("POST", url, path, headers=sent, content=body, redirects=0), receiver)
    return {"id": event_id, "status": reply.status, "signed": "webhook-signature" in sent, "seconds": reply.seconds}


def signature(secret: str, id: str, at: int, body: bytes) -> str:
    """The header `webhook-signature`: HMAC-SHA256 of id, epoch seconds and body.

    Args:
        secret: `whsec_` and base64, as Standard Webhooks has it, or any text.

    Raises:
        Reject: what stands behind `whsec_` is not base64.
    """
    key = secret.encode()
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise Reject(f"the signing secret begins with {_PREFIX} and is not base64 behind it") from None
    made = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"
