"""`[[folders]]`."""

from typing import Any, Literal

from pydantic import Field

from jobdesk.sections.fields import Seconds, Section


class FolderSettings(Section):
    path: str
    pipeline: str
    patterns: list[str] = ["*"]
    recursive: bool = True
    source: Literal["archive", "delete"] = "archive"
    settle: Seconds = 2.0
    rescan: Seconds = Field(default=30.0, gt=0)
    duplicates: Literal["skip", "process"] = "skip"
    data: dict[str, Any] = {}
