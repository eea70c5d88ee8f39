"""The images API of OpenAI, and of the many servers that speak it: POST URL/images/generations."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobdesk import Context, Reject

SIZE = "1024x1024"
ANSWER_BYTES = 140_000_000
"""A picture of 100 MB in base64."""
_MODERATION = frozenset(
    {"content_policy_violation", "moderation_blocked", "content_filter", "responsibleaipolicyviolation"}
)
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"})


@dataclass(frozen=True, slots=True)
class Made:
    """A picture as the provider hands it out: where it lies, or its content."""

    url: str | None
    content: bytes | None
    model: str | None
    revised_prompt: str | None


def generate(ctx: Context, provider: str, prompt: str, style: str | None, key: str) -> Made:
    """Have a picture made. The further keys of `[providers.NAME]` (model, size, quality …) are sent as they stand.

    Args:
        key: Idempotency-Key; the same in all attempts, so that a provider that knows it makes and charges one picture.

    Raises:
        Reject: `Moderation`, `QuotaExceeded`, `Unauthorized`, `NotConfigured`, `BadAnswer`: trying again is no use.
        HttpStatus: anything else that is no picture; 429 and 5xx are tried again, after `Retry-After` if it says so.
    """
    from jobdesk_processors.web import Wanted, ask

    service = ctx.service(provider)
    body = {"size": SIZE, **service.options, "prompt": prompt, "n": 1} | ({"style": style} if style else {})
    headers = {"content-type": "application/json", "idempotency-key": key}
    content = json.dumps(body, ensure_ascii=False).encode()
    wanted = Wanted("POST", path="/images/generations", headers=headers, content=content, redirects=0,
                    expect=("2xx", "4xx", "5xx"), max_bytes=ANSWER_BYTES)  # fmt: skip
    reply = ask(ctx, wanted, service)
    try:
        said = json.loads(reply.file.read_bytes())
    except ValueError:
        said = {}
    if reply.status >= 400:
        raise _refusal(provider, reply.status, reply.headers, said)
    return _made(provider, said, service.options.get("model"))


def _made(provider: str, said: Any, model: Any) -> Made:
    try:
        first = said["data"][0]
        url, encoded = first.get("url"), first.get("b64_json")
        content = None if encoded is None else base64.b64decode(encoded, validate=True)
        if content is None and not str(url or "").startswith(("http://", "https://")):
            raise ValueError
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, binascii.Error):
        raise Reject(f"provider '{provider}' answered without a picture: is it an images API?", "BadAnswer") from None
    return Made(url, content, None if model is None else str(model), first.get("revised_prompt"))


def _refusal(provider: str, status: int, headers: Mapping[str, str], said: Any) -> Exception:
    """What an answer with an error means."""
    import httpx

    from jobdesk_processors.web import HttpStatus

    error = said.get("error") if isinstance(said, dict) else None
    told = error if isinstance(error, dict) else {"message": error}
    words = str(told.get("message") or "it does not say why")[:500]
    codes = {str(told.get(key) or "").lower() for key in ("code", "type")}
    if codes & _MODERATION:
        return Reject(f"provider '{provider}' refuses the prompt: {words}", "Moderation")
    if codes & _QUOTA or status == 402:
        return Reject(
            f"the account at provider '{provider}' has no quota left ({words}): mend that, then retry", "QuotaExceeded"
        )
    if status in (401, 403):
        return Reject(
            f"provider '{provider}' does not accept the token ({words}): check [providers.{provider}]", "Unauthorized"
        )
    refused: Exception = HttpStatus(
        f"provider '{provider}' answered HTTP {status}: {words}", status, httpx.Headers(dict(headers))
    )
    return refused
