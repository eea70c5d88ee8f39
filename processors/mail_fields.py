"""What payloads about mail are made of: addresses, templates with their variables, attachments; checked when a job is
submitted. No address is looked up: whether somebody reads there, only the server of the recipient knows.
"""

import mimetypes
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from . import mail_templates

MOST_RECIPIENTS = 100
"""Of one mail; more are for `bulk-email`."""
_KIND = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


def _address(text: str) -> str:
    """An address as it is sent to: `ada@example.org` or `Ada <ada@example.org>`, its domain in ASCII."""
    from email.headerregistry import Address as Header
    from email.utils import unquote

    from email_validator import EmailNotValidError, validate_email

    name, bracket, rest = text.strip().rpartition("<")
    try:
        found = validate_email(rest.removesuffix(">") if bracket else rest, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(f"it is no mail address ({str(error).rstrip('.')})") from None
    plain, name = f"{found.local_part}@{found.ascii_domain}", unquote(name.strip())
    if not name.isprintable():
        raise ValueError("it is no mail address (its name has a line end or another control character)")
    return str(Header(name, addr_spec=plain)) if name else plain


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it must be one line, without control characters")
    return text


def _list(to: Any) -> Any:
    return [to] if isinstance(to, str) else to


def bare(address: str) -> str:
    """An address without its name, in one spelling."""
    return address.rpartition("<")[2].rstrip(">").lower()


def _known(name: str, info: ValidationInfo) -> str:
    """A template that exists, as far as can be said: who checks may not know the home."""
    if (home := (info.context or {}).get("home")) is not None:
        mail_templates.of(home).must_exist(name)
    return name


def _data_fits(data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Data is what the template asks for, no less and no more; the letter is filled in once, to see."""
    if "template" not in info.data or "variables" not in info.data:  # wrong themselves, or known only when it runs
        return data
    name, given, home = info.data["template"], {**info.data["variables"], **data}, (info.context or {}).get("home")
    if name is None and given:
        raise ValueError("it is for a template: give one")
    if name is not None and home is not None:
        mail_templates.of(home).check(name, given)
    return data


def _is_there(subject: str | None, info: ValidationInfo) -> str | None:
    if subject is None and info.data.get("template", "later") is None:
        raise ValueError("a mail without a template needs one")
    return subject


def _says_something(html: str | None, info: ValidationInfo) -> str | None:
    if html is None and info.data.get("template", "later") is None and info.data.get("text", "later") is None:
        raise ValueError("the mail says nothing: give a template, or text or html")
    return html


def _reachable(place: str) -> str:
    if not re.match(r"(https://|mailto:)\S+$", place):
        raise ValueError("it must begin with https:// or mailto:")
    return place


Address = Annotated[str, AfterValidator(_address)]
Line = Annotated[str, Field(max_length=900), AfterValidator(_one_line)]
Addresses = Annotated[list[Address], Field(max_length=MOST_RECIPIENTS), BeforeValidator(_list)]
To = Annotated[Addresses, Field(min_length=1)]
Template = Annotated[Line, AfterValidator(_known)]
Data = Annotated[dict[str, Any], Field(validate_default=True), AfterValidator(_data_fits)]
Subject = Annotated[Line | None, Field(validate_default=True), AfterValidator(_is_there)]
Html = Annotated[str | None, Field(validate_default=True), AfterValidator(_says_something)]
Unsubscribe = Annotated[Line, AfterValidator(_reachable)]
Priority = Literal["urgent", "high", "normal", "low"]


def _file(path: Path) -> Path:
    path = path.expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _content_type(text: str) -> str:
    if not _KIND.fullmatch(text.lower()) or text.lower().startswith(("multipart/", "message/")):
        raise ValueError("it is no content type of a file, like application/pdf")
    return text.lower()


class Attachment(BaseModel):
    """A file to be sent along, under a name and a content type: its own, and what that says, if not given."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[Path, AfterValidator(_file)]
    name: Annotated[Line, Field(min_length=1)] | None = None
    type: Annotated[str, AfterValidator(_content_type)] | None = None

    @property
    def shown(self) -> str:
        return self.name or self.path.name

    @property
    def content_type(self) -> str:
        guessed, encoding = mimetypes.guess_type(self.shown)
        return self.type or (guessed if guessed and not encoding else "application/octet-stream")


def _from_path(one: Any) -> Any:
    return {"path": one} if isinstance(one, str | Path) else one


Attachments = Annotated[list[Annotated[Attachment, BeforeValidator(_from_path)]], BeforeValidator(_list)]
