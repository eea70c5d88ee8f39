"""Sending a notice to a target of the settings, through Apprise: mail, chat, phone, desktop, webhook."""

import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from jobdesk import ENV_REFERENCE, MASK, Context, Reject, processor

_LEAST_SECRET = 4
"""Letters of a part of an address from which on it is masked: shorter ones are in every second word."""


@processor("send-notification", queue="notifications", priority="low", timeout="1m", retries=5, retry_delay="30s")
def send_notification(
    ctx: Context,
    target: str,
    title: str,
    body: str = "",
    level: Literal["info", "success", "warning", "error"] = "info",
) -> dict[str, Any]:
    """Send a notice to a target of [notify.targets]."""
    targets: Mapping[str, str] = ctx.settings["notify"]["targets"]
    if target not in targets:
        raise Reject(
            f"there is no target {target} in [notify.targets]; there are {', '.join(sorted(targets)) or 'none'}"
        )
    try:
        import apprise
    except ImportError:
        raise Reject('notices are sent by Apprise, which is missing: pip install "jobdesk[notify]"') from None

    url, secrets = resolved(targets[target], os.environ)
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="jobdesk", app_desc="jobdesk", async_mode=False))
    kinds = {"success": apprise.NotifyType.SUCCESS, "warning": apprise.NotifyType.WARNING,
             "error": apprise.NotifyType.FAILURE}  # fmt: skip
    with apprise.LogCapture(  # type: ignore[no-untyped-call]
        level=apprise.logging.WARNING, fmt="%(message)s"
    ) as said:
        if not sender.add(url):
            raise Reject(f"target {target} is not an address that Apprise knows: {_masked(said.getvalue(), secrets)}")
        kind, broken = kinds.get(level, apprise.NotifyType.INFO), ""
        try:
            text = apprise.NotifyFormat.TEXT
            done = bool(sender.notify(body or title, title=title, notify_type=kind, body_format=text))
        except Exception as error:  # what it says may hold the address
            done, broken = False, f"{type(error).__name__}: {error}"
        why = _masked(said.getvalue() + broken, secrets)
    if not done:
        raise ConnectionError(f"target {target} did not take the notice: {why or 'no reason is given'}")
    return {"target": target, "title": title}


def resolved(target: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The address of a target with its secrets put in, and everything of it that must not be seen.

    Raises:
        Reject: the environment lacks a secret.
    """
    names = ENV_REFERENCE.findall(target)
    if missing := [name for name in names if not environment.get(name)]:
        raise Reject(f"the environment of the consumer has no {' and no '.join(missing)}: set it and start it anew")
    values = {name: environment[name] for name in names}
    whole = ENV_REFERENCE.fullmatch(target) is not None
    url = ENV_REFERENCE.sub(lambda found: values[found[1]] if whole else quote(values[found[1]], safe=""), target)
    parts = [url, *values.values()]
    try:
        address = urlsplit(url)
    except ValueError:  # what Apprise says of it is masked as a whole
        address = urlsplit("")
    parts += [address.password or "", address.username or "", address.query, *address.path.split("/")]
    both = {form for part in parts for form in (part, unquote(part), quote(part, safe=""))}
    return url, sorted((part for part in both if len(part) >= _LEAST_SECRET), key=len, reverse=True)


def _masked(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return " ".join(text.split())[:500]
