"""Delivering events to a webhook of the settings: one signed POST, in the job that the desk made for them.

Who receives it checks `X-Jobdesk-Signature`: `sha256=` and the HMAC-SHA256, under the shared secret, of
`X-Jobdesk-Timestamp`, a full stop, and the body. An event may come more than once; its `id` tells.
"""

import hashlib
import hmac
import json
import time
import urllib.request
from typing import Any

from jobdesk import Context, Reject, processor

_TIMEOUT_S = 30.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **more: Any) -> None:
        """A redirect is an answer like any other: what is signed for one place goes to no other."""


@processor("webhook.deliver", timeout="1m", retries=20, retry_delay="5s", backoff="exponential", isolation="process")
def deliver(ctx: Context, webhook: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Tell a webhook of the settings what happened."""
    named = f"webhooks.{webhook}"
    if named not in list(ctx.settings):  # `in` alone would take its secret from the environment
        raise Reject(f"the settings have no webhook '{webhook}' any more")
    hook = ctx.settings[named]
    body = json.dumps({"webhook": webhook, "delivery": ctx.job, "events": events}, ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "jobdesk",
        "Idempotency-Key": ctx.job,
        "X-Jobdesk-Delivery": ctx.job,
        "X-Jobdesk-Timestamp": stamp,
    }
    if hook["secret"]:
        mark = hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers["X-Jobdesk-Signature"] = f"sha256={mark}"
    request = urllib.request.Request(hook["url"], body, headers, method="POST")
    with urllib.request.build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_S) as answer:
        status = int(answer.status)
    return {"status": status, "events": len(events)}
