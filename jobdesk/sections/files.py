"""`[files]`."""

import re

from pydantic import Field, field_validator

from jobdesk.sections.fields import Bytes, Section


class FileSettings(Section):
    max_bytes: Bytes = Field(ge=1)
    allowed_types: list[str]
    max_unpacked: Bytes = Field(ge=1)
    max_entries: int = Field(ge=1)
    max_ratio: int = Field(ge=2)
    max_pages: int = Field(ge=1)
    dpi: int = Field(ge=18, le=1200)

    @field_validator("allowed_types")
    @classmethod
    def _are_types(cls, types: list[str]) -> list[str]:
        for one in types:
            if not re.fullmatch(r"(\*|[a-z]+)/(\*|[a-z0-9][a-z0-9.+-]*)", one):
                raise ValueError(f"'{one}' is no media type like image/png or image/*")
        return types
