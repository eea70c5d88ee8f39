"""Mail to many: a letter and a job for each, in one flow."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from jobdesk import Context, Reject, processor

from . import mail_server, mail_templates
from .mail_fields import Address, Attachments, Priority, Template, Unsubscribe, bare

MOST_LETTERS = 10_000
"""Recipients of one bulk job."""
PART = 500
"""Letters whose jobs are stored in one transaction."""
_EVERY = 50
_SAID = 20
"""Wrong recipients that are named."""


class Recipient(BaseModel):
    """One of many: its address, and what its letter says beside what all say."""

    model_config = ConfigDict(extra="forbid")

    to: Address
    data: dict[str, Any] = {}


def _addressed(one: Any) -> Any:
    """An address alone is a recipient of whom nothing else is said."""
    return {"to": one} if isinstance(one, str) else one


def _letters_fit(people: list[Recipient], info: ValidationInfo) -> list[Recipient]:
    home = (info.context or {}).get("home")
    if home is not None and "template" in info.data and "data" in info.data:
        templates = mail_templates.of(home)
        for person in people:
            try:
                templates.check(info.data["template"], {**info.data["data"], **person.data})
            except mail_templates.TemplateError as error:
                raise ValueError(f"{person.to}: {error}") from None
    return people


Recipients = Annotated[
    list[Annotated[Recipient, BeforeValidator(_addressed)]],
    Field(max_length=MOST_LETTERS),
    AfterValidator(_letters_fit),
]


@processor("bulk-email", queue="email-sending", priority="low", timeout="10m", retries=2)
def send_many(
    ctx: Context,
    template: Template,
    data: dict[str, Any] = {},  # noqa: B006  pydantic copies it
    recipients: Recipients = [],  # noqa: B006
    file: Path | None = None,
    skip_wrong: bool = False,
    reply_to: Address | None = None,
    attachments: Attachments = [],  # noqa: B006
    unsubscribe: Unsubscribe | None = None,
    priority: Priority = "low",
) -> dict[str, Any]:
    """Send a mail of its own to each of many: a job a recipient, in the flow of this one."""
    mail_server.check(ctx.settings["email"])
    wrong: list[str] = []
    people = [*recipients, *(_in_file(file, wrong) if file is not None else ())]
    templates = mail_templates.of(ctx.home)
    letters: dict[str, Recipient] = {}
    twice, rows = 0, len(people) + len(wrong)
    for number, person in enumerate(people, 1):
        if number % _EVERY == 0:
            ctx.checkpoint()
            ctx.progress(number, len(people), f"{number:,} of {len(people):,} checked")
        own = {**data, **person.data}
        try:
            templates.check(template, own)
        except mail_templates.TemplateError as error:
            wrong.append(f"{person.to}: {error}")
            continue
        twice += bare(person.to) in letters
        letters.setdefault(bare(person.to), Recipient.model_construct(to=person.to, data=own))
    _refuse(len(people), len(letters), wrong, skip_wrong)
    same: dict[str, Any] = {"template": template, "reply_to": reply_to, "unsubscribe": unsubscribe}
    same |= {"attachments": [one.model_dump(mode="json") for one in attachments], "priority": priority}
    _submit(ctx, [one.model_dump() for one in letters.values()], same)
    for line in wrong[:_SAID]:
        ctx.log.warning(f"left out: {line}")
    ctx.progress(len(people), len(people), f"{len(letters):,} letters")
    return {"recipients": rows, "letters": len(letters), "twice": twice, "wrong": wrong[:_SAID]}


def _submit(ctx: Context, letters: list[dict[str, Any]], same: Mapping[str, Any]) -> None:
    """A job for each letter; of more than a few, a bulk job for each part of them, so that no transaction is long."""
    if len(letters) <= PART:
        for letter in letters:
            ctx.submit("email", {**same, **letter}, optional=True)
        return
    for since in range(0, len(letters), PART):
        ctx.checkpoint()
        ctx.submit("bulk-email", {**same, "recipients": letters[since : since + PART]}, now=True)


def _refuse(people: int, letters: int, wrong: list[str], skip_wrong: bool) -> None:
    """Refuse what should not be begun: nothing was sent yet."""
    if wrong and not (skip_wrong and letters):
        more = f" and {len(wrong) - _SAID:,} more" if len(wrong) > _SAID else ""
        said = f"nothing was sent, {len(wrong):,} recipients are wrong: {'; '.join(wrong[:_SAID])}{more}"
        raise Reject(f"{said}; mend them, or give skip_wrong=true", reason="recipient")
    if not letters:
        raise Reject("there is nobody to write to: give recipients, or a file of them", reason="empty")
    if people > MOST_LETTERS:
        raise Reject(f"{people:,} recipients are more than {MOST_LETTERS:,}: send them in parts", reason="too-many")


def _in_file(file: Path, wrong: list[str]) -> Iterator[Recipient]:
    """Recipients of a CSV file with a column `to`, or of NDJSON; other columns are their data.

    Those whose address is wrong are added to `wrong`.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(_rows(file, stream), 1):
                more = {key: value for key, value in row.items() if key and key != "to"}
                try:
                    yield Recipient(to=str(row.get("to") or "").strip(), data=more)
                except ValidationError as error:
                    said = error.errors()[0]["msg"].removeprefix("Value error, ")
                    wrong.append(f"{file.name}, recipient {number}: {said}")
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise Reject(f"{file} cannot be read as recipients ({error}): use CSV with a column to, or NDJSON") from None


def _rows(file: Path, stream: Any) -> Iterator[Mapping[str, Any]]:
    if file.suffix.lower() != ".csv":
        return (json.loads(line) for line in stream if line.strip())
    reader = csv.DictReader(stream)
    if "to" not in (reader.fieldnames or ()):
        raise ValueError("it has no column to")
    return iter(reader)
