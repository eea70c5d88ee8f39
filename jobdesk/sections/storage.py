"""`[storage]`."""

import re
from string import Formatter

from pydantic import Field, field_validator

from jobdesk.sections.fields import Bytes, Seconds, Section

_FIELDS = ("year", "month", "day", "upload", "user", "album", "name")


class StorageSettings(Section):
    path: str
    url: str
    key: str
    part_size: Bytes = Field(ge=5 * 1024 * 1024)
    retries: int = Field(ge=0, le=100)
    timeout: Seconds = Field(gt=0)
    options: dict[str, str] = {}

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if url and not re.match(r"^[a-z][a-z0-9+.-]*://", url):
            raise ValueError(f"'{url}' is no URL like s3://bucket/folder; a local folder is storage.path")
        return url

    @field_validator("key")
    @classmethod
    def _leads_to_a_file(cls, key: str) -> str:
        try:
            named = [
                field for _, field, how, turn in Formatter().parse(key) if field is not None and not how and not turn
            ]
        except ValueError as error:
            raise ValueError(f"'{key}' is no template: {error}") from None
        if unknown := [field for field in named if field not in _FIELDS]:
            raise ValueError(f"'{{{unknown[0]}}}' is unknown; there are {', '.join(f'{{{one}}}' for one in _FIELDS)}")
        if not key.endswith("/{name}") or "{upload}" not in key.split("/") or key.startswith(("/", ".")) or ".." in key:
            raise ValueError("it must have a folder {upload} and end in /{name}, so that no upload replaces another")
        return key
