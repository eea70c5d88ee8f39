"""`[analytics]` and `[reports]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobdesk.core.measure import FieldName, Measure, MeasureName, checked
from jobdesk.sections.fields import Bytes, Section, Timezone


class AnalyticsSettings(Section):
    sources: list[str]
    format: Literal["auto", "ndjson", "csv", "sqlite"]
    time: FieldName
    event: FieldName
    table: str
    timezone: Timezone
    late: int = Field(ge=0, le=1000)
    memory_limit: Bytes = Field(ge=64_000_000)
    metrics: Annotated[dict[MeasureName, Measure], AfterValidator(checked)]


class ReportSettings(Section):
    timezone: Timezone
    formats: list[Literal["pdf", "html", "csv", "json"]] = Field(min_length=1)
    contents: list[Literal["jobs", "analytics"]] = Field(min_length=1)
    recipients: list[str]
    title: str
