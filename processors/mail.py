"""Mail to one or a few: from templates or as written, with files, through the SMTP server of `[email]`.

The same mail has the same Message-ID in each attempt, and in the jobs that bring it to those whom the server refused
for now; so whoever gets it twice can tell.
"""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from functools import wraps
from typing import Any

from jobdesk import Context, Reject, processor

from . import mail_server, mail_templates, safefiles
from .mail_fields import (
    Address,
    Addresses,
    Attachment,
    Attachments,
    Data,
    Html,
    Line,
    Priority,
    Subject,
    Template,
    To,
    Unsubscribe,
    bare,
)

_AGAIN_AFTER = "5m"
"""As long as most servers keep a stranger waiting (greylisting)."""


@processor(
    "email", queue="email-sending", priority="{priority}", timeout="2m", retries=8, retry_delay="10s", service="smtp"
)
def send_email(
    ctx: Context,
    to: To,
    template: Template | None = None,
    variables: dict[str, Any] = {},  # noqa: B006  pydantic copies it
    data: Data = {},  # noqa: B006
    subject: Subject = None,
    text: str | None = None,
    html: Html = None,
    cc: Addresses = [],  # noqa: B006
    bcc: Addresses = [],  # noqa: B006
    reply_to: Address | None = None,
    attachments: Attachments = [],  # noqa: B006
    unsubscribe: Unsubscribe | None = None,
    priority: Priority | None = None,
    only: Addresses = [],  # noqa: B006
    message_id: Line | None = None,
) -> dict[str, Any]:
    """Send a mail, from a template or as written."""
    settings = ctx.settings["email"]
    mail_server.check(settings)
    ctx.progress(0, 2, "writing")
    made = _written(ctx, template, {**variables, **data}, subject, text, html)
    letter = _letter(settings, made, message_id or _own_id(ctx, settings))
    for name, people in (("To", to), ("Cc", cc)):
        if people:
            letter[name] = ", ".join(people)
    if reply_to or settings["reply_to"]:
        letter["Reply-To"] = reply_to or settings["reply_to"]
    if unsubscribe:
        letter["List-Unsubscribe"] = f"<{unsubscribe}>"
        if unsubscribe.startswith("https:"):
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _attach(letter, attachments, int(settings["max_attachment_bytes"]))
    size = len(letter.as_bytes())
    if size > (most := int(settings["max_message_bytes"])):
        raise Reject(f"the mail has {size:,} bytes, more than the {most:,} of email.max_message_bytes", reason="size")
    people = list(dict.fromkeys(bare(one) for one in only or [*to, *cc, *bcc]))
    ctx.checkpoint()
    ctx.progress(1, 2, f"to {len(people)}")
    with ctx.service("smtp").call():
        done = mail_server.send(settings, letter, people)
    for address, why in {**done.refused, **done.later}.items():
        ctx.log.warning(f"{address} was refused{' for now' if address in done.later else ''}: {why}")
    if done.later:
        same: dict[str, Any] = {"to": to, "cc": cc, "bcc": bcc, "template": template, "variables": variables}
        same |= {"data": data, "subject": subject, "text": text, "html": html, "reply_to": reply_to}
        same |= {"attachments": [one.model_dump(mode="json") for one in attachments], "unsubscribe": unsubscribe}
        same |= {"priority": priority, "only": list(done.later), "message_id": str(letter["Message-ID"])}
        ctx.submit("email", same, delay=_AGAIN_AFTER)
    ctx.progress(2, 2, "sent")
    return {
        "message_id": str(letter["Message-ID"]),
        "subject": str(letter["Subject"]),
        "accepted": done.accepted,
        "refused": done.refused,
        "later": done.later,
        "bytes": size,
    }


@processor(
    "email-sending",
    queue="email-sending",
    priority="{priority}",
    timeout="2m",
    retries=8,
    retry_delay="10s",
    service="smtp",
)
@wraps(send_email)
def send_email_too(*args: Any, **data: Any) -> dict[str, Any]:
    return send_email(*args, **data)


@processor("email-preview", queue="email-sending", timeout="1m", retries=0)
def preview_email(
    ctx: Context,
    template: Template,
    variables: dict[str, Any] = {},  # noqa: B006
    data: Data = {},  # noqa: B006
) -> dict[str, Any]:
    """Write the mail of a template into a file of the library, and send nothing."""
    from pathlib import Path

    made = _written(ctx, template, {**variables, **data}, None, None, None)
    letter = _letter(ctx.settings["email"], made, _own_id(ctx, ctx.settings["email"]))
    file = safefiles.write_whole(Path(ctx.settings["storage"]["path"]) / "mail" / f"{ctx.job}.eml", letter.as_bytes())
    ctx.artifact(file.path, "mail")
    for line in made.text.splitlines():
        ctx.log.info(line)
    return {"subject": made.subject, "text": made.text, "file": str(file.path), "bytes": file.bytes}


def _written(
    ctx: Context,
    template: str | None,
    data: Mapping[str, Any],
    subject: str | None,
    text: str | None,
    html: str | None,
) -> mail_templates.Letter:
    """What the mail says; a subject that is given comes before the one of the template."""
    try:
        if template is None:
            return mail_templates.letter(subject or "", text, html)
        made = mail_templates.of(ctx.home).render(template, data)
    except mail_templates.TemplateError as error:
        raise Reject(str(error), reason="template") from None
    return mail_templates.Letter(subject or made.subject, made.text, made.html)


def _own_id(ctx: Context, settings: Mapping[str, Any]) -> str:
    return f"<{ctx.job}@{parseaddr(settings['sender'])[1].rpartition('@')[2] or 'localhost'}>"


def _letter(settings: Mapping[str, Any], made: mail_templates.Letter, message_id: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = settings["sender"] or "jobdesk@localhost"
    letter["Subject"] = made.subject
    letter["Date"] = formatdate()
    letter["Message-ID"] = message_id
    letter["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers it
    letter.set_content(made.text)
    if made.html is not None:
        letter.add_alternative(made.html, subtype="html")
    return letter


def _attach(letter: EmailMessage, attachments: list[Attachment], most_bytes: int) -> None:
    left = most_bytes
    for one in attachments:
        try:
            if (size := one.path.stat().st_size) > left:
                raise Reject(
                    f"the attachment {safefiles.shown(one.shown)} of {size:,} bytes is too large: all together may "
                    f"have {most_bytes:,} (email.max_attachment_bytes)",
                    reason="attachment",
                )
            content = one.path.read_bytes()
        except OSError as error:
            raise Reject(f"the attachment {one.path} cannot be read ({error.strerror})", reason="attachment") from None
        left -= len(content)
        main, _, sub = one.content_type.partition("/")
        letter.add_attachment(content, maintype=main, subtype=sub, filename=one.shown)
