"""Mail: one to a few people, or one to each of many; from templates or as written."""

import csv
import json
import mimetypes
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.utils import formatdate
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from jobdesk import Context, Reject, processor

from . import mail_server, mail_templates

MOST_RECIPIENTS = 100
"""Of one mail; more are for `bulk-email`."""
MOST_LETTERS = 15_000
"""Recipients of one bulk job."""
ATTACHMENT_BYTES = 100_000_000
"""Of one attachment, whatever the settings allow."""
CHECKED = 500
"""Letters of one bulk job that are filled in when it is submitted, to see; the others when it runs."""
_EVERY = 50


def _address(text: str) -> str:
    """An address as it is sent to: `ada@example.org` or `Ada <ada@example.org>`."""
    try:
        from email_validator import EmailNotValidError, validate_email
    except ImportError:
        raise ValueError(mail_templates.MISSING) from None
    try:
        found = validate_email(text, check_deliverability=False, allow_display_name=True)
    except EmailNotValidError as error:
        raise ValueError(f"it is no mail address ({str(error).rstrip('.')})") from None
    return f'"{found.display_name}" <{found.normalized}>' if found.display_name else found.normalized


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError("it must be one line")
    return text


def _attachment(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if (size := path.stat().st_size) > ATTACHMENT_BYTES:
        raise ValueError(f"{path} has {size:,} bytes, more than {ATTACHMENT_BYTES:,}")
    return path


def _fits(data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Data for a template is what the template asks for: it is filled in once, to see."""
    name = info.data.get("template")
    home = (info.context or {}).get("home")
    if name is not None and (home is not None or name in mail_templates.names(None)):
        mail_templates.render(name, data, home)
    return data


def _known(name: str, info: ValidationInfo) -> str:
    """A template that exists, as far as can be said: who checks may not know the home."""
    home = (info.context or {}).get("home")
    if home is not None and name not in (there := mail_templates.names(home)):
        raise ValueError(f"there is no template '{name}': there are {', '.join(there)}")
    return name


Address = Annotated[str, AfterValidator(_address)]
Line = Annotated[str, Field(max_length=998), AfterValidator(_one_line)]
Addresses = Annotated[list[Address], Field(max_length=MOST_RECIPIENTS)]
Attachment = Annotated[Path, AfterValidator(_attachment)]
To = Annotated[Addresses, Field(min_length=1), BeforeValidator(lambda to: [to] if isinstance(to, str) else to)]
Template = Annotated[Line, AfterValidator(_known)]
Data = Annotated[dict[str, Any], Field(validate_default=True), AfterValidator(_fits)]


class Recipient(BaseModel):
    """One of many: its address, and what its letter says beside what all say."""

    model_config = ConfigDict(extra="forbid")

    to: Address
    data: dict[str, Any] = {}


def _letters_fit(people: list[Recipient], info: ValidationInfo) -> list[Recipient]:
    for person in people[:CHECKED]:
        try:
            _fits({**(info.data.get("data") or {}), **person.data}, info)
        except ValueError as error:
            raise ValueError(f"{person.to}: {error}") from None
    return people


Recipients = Annotated[list[Recipient], Field(max_length=MOST_LETTERS), AfterValidator(_letters_fit)]


@processor("email", queue="email-sending", timeout="2m", retries=5, retry_delay="30s")
def send_email(
    ctx: Context,
    to: To,
    template: Template | None = None,
    data: Data = {},  # noqa: B006  pydantic copies it
    subject: Line | None = None,
    text: str | None = None,
    html: str | None = None,
    cc: Addresses = [],  # noqa: B006
    bcc: Addresses = [],  # noqa: B006
    reply_to: Address | None = None,
    attachments: list[Attachment] = [],  # noqa: B006
) -> dict[str, Any]:
    """Send a mail, from a template or as written."""
    settings = ctx.settings["email"]
    mail_server.check(settings)
    ctx.progress(0, 2, "writing")
    try:
        if template is not None:
            made = mail_templates.render(template, data, ctx.home)
        else:
            made = mail_templates.Letter(subject or "", text, None if html is None else mail_templates.inlined(html))
    except mail_templates.TemplateError as error:
        raise Reject(str(error), reason="template") from None
    if made.text is None and made.html is None:
        raise Reject("the mail says nothing: give a template, or text or html", reason="empty")
    letter = _letter(ctx, made, settings, {"To": to, "Cc": cc, "Bcc": bcc})
    letter["Subject"] = subject or made.subject
    if reply_to or settings["reply_to"]:
        letter["Reply-To"] = reply_to or settings["reply_to"]
    _attach(letter, attachments, int(settings["max_attachment_bytes"]))
    ctx.checkpoint()
    ctx.progress(1, 2, f"to {len(to) + len(cc) + len(bcc)}")
    done = mail_server.send(settings, letter)
    for address, why in done.refused.items():
        ctx.log.warning(f"{address} was refused: {why}")
    if done.later:
        same: dict[str, Any] = {"template": template, "data": data, "subject": subject, "text": text, "html": html}
        same |= {"reply_to": reply_to, "attachments": [str(one) for one in attachments]}
        ctx.submit("email", {"to": done.later, **same}, delay="5m")
    ctx.progress(2, 2, "sent")
    return {
        "message_id": str(letter["Message-ID"]),
        "subject": str(letter["Subject"]),
        "accepted": done.accepted,
        "refused": done.refused,
        "later": done.later,
        "bytes": done.bytes,
    }


@processor("email-sending", queue="email-sending", timeout="2m", retries=5, retry_delay="30s")
@wraps(send_email)
def send_email_too(*args: Any, **data: Any) -> dict[str, Any]:
    return send_email(*args, **data)


@processor("bulk-email", queue="email-sending", priority="low", timeout="10m", retries=2)
def send_many(
    ctx: Context,
    template: Template,
    data: dict[str, Any] = {},  # noqa: B006
    recipients: Recipients = [],  # noqa: B006
    file: Path | None = None,
    reply_to: Address | None = None,
    attachments: list[Attachment] = [],  # noqa: B006
    priority: str = "low",
) -> dict[str, Any]:
    """Send a mail of its own to each of many: a job a recipient, in the flow of this one."""
    mail_server.check(ctx.settings["email"])
    people = [*recipients, *(_in_file(file) if file is not None else ())]
    if not people:
        raise Reject("there is nobody to write to: give recipients, or a file of them", reason="empty")
    if len(people) > MOST_LETTERS:
        said = f"{len(people):,} recipients are more than {MOST_LETTERS:,}: send them in parts"
        raise Reject(said, reason="too-many")
    seen, files = set[str](), [str(one) for one in attachments]
    twice, wrong = 0, []
    for number, person in enumerate(people, 1):
        if number % _EVERY == 0:
            ctx.checkpoint()
            ctx.progress(number, len(people), f"{number:,} of {len(people):,} letters")
        if person.to.lower() in seen:
            twice += 1
            continue
        seen.add(person.to.lower())
        own = {**data, **person.data}
        try:
            mail_templates.render(template, own, ctx.home)
        except mail_templates.TemplateError as error:
            wrong.append(f"{person.to}: {error}")
            continue
        letter: dict[str, Any] = {"to": person.to, "template": template, "data": own, "reply_to": reply_to}
        ctx.submit("email", letter | {"attachments": files}, priority=priority, optional=True)
    if wrong and len(wrong) == len(seen):
        raise Reject(wrong[0], reason="template")
    for line in wrong[:100]:
        ctx.log.warning(line)
    ctx.progress(len(people), len(people), f"{len(seen) - len(wrong):,} letters")
    return {"recipients": len(people), "letters": len(seen) - len(wrong), "twice": twice, "wrong": wrong[:100]}


def _in_file(file: Path) -> Iterator[Recipient]:
    """Recipients of a CSV file with a column `to`, or of NDJSON; other columns are their data."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows: Iterator[Mapping[str, Any]]
            if file.suffix.lower() == ".csv":
                rows = iter(csv.DictReader(stream))
            else:
                rows = (json.loads(line) for line in stream if line.strip())
            for number, row in enumerate(rows, 1):
                more = {key: value for key, value in row.items() if key != "to" and key is not None}
                try:
                    yield Recipient(to=str(row.get("to") or "").strip(), data=more)
                except ValueError as error:
                    said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
                    raise Reject(f"{file}, recipient {number}: {said}", reason="address") from None
    except (OSError, ValueError, AttributeError) as error:
        raise Reject(f"{file} cannot be read as recipients ({error}): use CSV with a column to, or NDJSON") from None


def _letter(
    ctx: Context, made: mail_templates.Letter, settings: Mapping[str, Any], people: Mapping[str, list[str]]
) -> EmailMessage:
    """From, to whom, and what it says. Bcc is not sent: the server is told of it, the others are not."""
    letter = EmailMessage()
    letter["From"] = settings["sender"]
    for name, addresses in people.items():
        if addresses:
            letter[name] = ", ".join(addresses)
    letter["Date"] = formatdate()
    domain = str(settings["sender"]).rpartition("@")[2].strip("<> ") or "localhost"
    letter["Message-ID"] = f"<{ctx.job}@{domain}>"  # the same for each attempt
    if made.text is not None:
        letter.set_content(made.text)
        if made.html is not None:
            letter.add_alternative(made.html, subtype="html")
    elif made.html is not None:
        letter.set_content(made.html, subtype="html")
    return letter


def _attach(letter: EmailMessage, files: list[Path], most_bytes: int) -> None:
    total = 0
    for file in files:
        try:
            content = file.read_bytes() if file.stat().st_size <= most_bytes else None
        except OSError as error:
            raise Reject(f"the attachment {file} cannot be read ({error.strerror})", reason="attachment") from None
        total += most_bytes + 1 if content is None else len(content)
        if content is None or total > most_bytes:
            raise Reject(f"{file.name}: attachments have more than {most_bytes:,} bytes", reason="attachment")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        letter.add_attachment(content, maintype=main, subtype=sub, filename=file.name)
