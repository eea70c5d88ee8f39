"""`[[folders]]`, and what `jobdesk folders add` says of a folder."""

import pwd
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from jobdesk.sections.fields import Bytes, Seconds, Section


def _templates(data: dict[str, Any]) -> dict[str, Any]:
    from jobdesk.folders.payload import check

    check(data)
    return data


def _ending(text: str | None) -> str | None:
    if text is not None and (not text or "/" in text):
        raise ValueError(f"'{text}' is not an ending of a file's name, like .done")
    return text


def _media_type(text: str) -> str:
    if text.count("/") != 1:
        raise ValueError(f"'{text}' is not a media type, like image/jpeg or image/*")
    return text.lower()


def _user(owner: str | int) -> str | int:
    uid(owner)
    return owner


def uid(owner: str | int) -> int:
    """The id of a user, who may be named.

    Raises:
        ValueError: there is none of this name.
    """
    if isinstance(owner, int) or owner.isdecimal():
        return int(owner)
    try:
        return pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise ValueError(f"there is no user '{owner}' here") from None


Ending = Annotated[str | None, AfterValidator(_ending)]
MediaType = Annotated[str, AfterValidator(_media_type)]
Owner = Annotated[str | int, AfterValidator(_user)]


class FolderSettings(Section):
    path: str
    pipeline: str
    patterns: list[str] = Field(default=["*"], min_length=1)
    exclude: list[str] = []
    recursive: bool = True
    depth: int = Field(default=32, ge=0, le=32)
    source: Literal["archive", "delete", "keep"] = "archive"
    settle: Seconds = Field(default=2.0, ge=0)
    stable: Literal["all", "size"] = "all"
    marker: Ending = None
    lock: Ending = None
    rescan: Seconds = Field(default=30.0, gt=0)
    watch: Literal["auto", "inotify", "poll"] = "auto"
    duplicates: Literal["skip", "process"] = "skip"
    types: list[MediaType] = []
    min_size: Bytes = 0
    max_size: Bytes | None = None
    owners: list[Owner] = []
    ahead: int = Field(default=2000, ge=1)
    min_free: Bytes = 50_000_000
    data: Annotated[dict[str, Any], AfterValidator(_templates)] = {}

    @field_validator("path", "pipeline")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it must not be empty")
        return text
