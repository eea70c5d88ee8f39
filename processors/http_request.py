"""Any HTTP request as a job: to a URL, or to a service of the settings with its secrets and its breaker."""

import json as json_text
import mimetypes
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field

from jobdesk import Context, Reject, processor

if TYPE_CHECKING:
    from jobdesk_processors.web import Reply

INLINE_BYTES = 100_000
"""A longer body is a file of its own, not part of the result."""
_REPEATED = ("POST", "PATCH")
"""Methods that do their work twice when they are sent twice."""

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Status = Annotated[int, Field(ge=100, le=599)] | Annotated[str, Field(pattern=r"^[1-5]xx$")]


@processor("http_request", timeout="10m", service="{service}")
def http_request(
    ctx: Context,
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None,
    method: Method = "GET",
    service: str | None = None,
    path: str = "",
    query: dict[str, str | int | float | bool | list[str]] = {},  # noqa: B006  pydantic copies it
    headers: dict[str, str] = {},  # noqa: B006
    json: Any = None,
    form: dict[str, str] | None = None,
    body: str | None = None,
    expect: Annotated[list[Status], Field(min_length=1)] = ["2xx"],  # noqa: B006
    timeout: Annotated[float, Field(gt=0)] | None = None,
    redirects: Annotated[int, Field(ge=0, le=20)] = 5,
    max_bytes: Annotated[int, Field(ge=0)] = 10_000_000,
    save: Path | None = None,
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """Send an HTTP request; the answer is the result, or a file if it is long or no text."""
    from jobdesk_processors.web import Wanted, ask  # httpx takes a while to load, and whoever submits needs none

    content, kind = _content(json, form, body)
    sent = dict(headers)
    if kind and "content-type" not in {name.lower() for name in sent}:
        sent["content-type"] = kind
    if idempotency_key is None and method in _REPEATED:
        idempotency_key = ctx.job  # the same for each attempt
    if idempotency_key:
        sent.setdefault("idempotency-key", idempotency_key)
    wanted = Wanted(method, url, path, query, sent, content, expect, timeout, redirects, max_bytes)
    reply = ask(ctx, wanted, ctx.service(service) if service else None)
    result = {"status": reply.status, "url": reply.url, "headers": dict(reply.headers), "bytes": reply.bytes}
    return result | {"seconds": reply.seconds} | _body(ctx, reply, save)


def _content(json: Any, form: dict[str, str] | None, body: str | None) -> tuple[bytes | None, str]:
    """The body of the request and its type; at most one way to say it."""
    if sum(one is not None for one in (json, form, body)) > 1:
        raise Reject("json, form and body are three ways to say one thing: give one of them")
    if json is not None:
        return json_text.dumps(json, ensure_ascii=False).encode(), "application/json"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return (None, "") if body is None else (body.encode(), "text/plain; charset=utf-8")


def _body(ctx: Context, reply: "Reply", save: Path | None) -> dict[str, Any]:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if save is None and reply.bytes <= INLINE_BYTES:
        raw = reply.file.read_bytes()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                return {"json": json_text.loads(raw)}
            except ValueError:
                ctx.log.warning("the answer calls itself JSON and is not")
        try:
            return {"body": raw.decode()}
        except UnicodeDecodeError:
            pass
    place = save or Path(ctx.settings["storage"]["path"]) / "http" / f"{ctx.job}{mimetypes.guess_extension(kind) or ''}"
    _move(reply.file, place)
    ctx.artifact(place, "response")
    return {"file": str(place)}


def _move(file: Path, place: Path) -> None:
    """Put the file there, whole or not at all."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        shutil.move(file, part)
        part.replace(place)
    except OSError as error:
        raise Reject(f"the answer cannot be saved as {place} ({error.strerror}): choose another place") from None
