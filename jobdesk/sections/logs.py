"""`[logs]`."""

from typing import Literal

from pydantic import Field

from jobdesk.sections.fields import Bytes, Section


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"]
    max_bytes: Bytes = Field(ge=10_000)
    keep: int = Field(ge=0, le=1000)
    job_max_bytes: Bytes = Field(ge=1_000)
