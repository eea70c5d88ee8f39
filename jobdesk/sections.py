"""The sections of the settings: what each key may be. Every duration is in seconds once read, every size in bytes."""

import os
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from jobdesk.core.durations import bytes_, seconds
from jobdesk.core.job import priority
from jobdesk.core.rate import Rate, rate
from jobdesk.core.retry import Backoff
from jobdesk.core.schedule import Missed, Overlap
from jobdesk.flows.definition import Definition, Hook, Step

Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]
Bytes = Annotated[int, BeforeValidator(bytes_, json_schema_input_type=str | int)]
PriorityNumber = Annotated[int, BeforeValidator(priority, json_schema_input_type=str | int)]


def _span_or_off(value: Any) -> float | None:
    if value is None or value is False or str(value).strip().lower() == "off":
        return None
    try:
        span_s = seconds(value)
    except ValueError:
        raise ValueError(f"'{value}' is neither off nor a duration like 10m, 1h or 7d") from None
    if span_s <= 0:
        raise ValueError("it must be longer than 0; off for none")
    return span_s


SpanOrOff = Annotated[
    float | None, BeforeValidator(_span_or_off), WithJsonSchema({"type": "string", "examples": ["off", "10m"]})
]
RateLimit = Annotated[
    Rate, BeforeValidator(rate), PlainSerializer(str), WithJsonSchema({"type": "string", "examples": ["100/m"]})
]


def _cron(text: str) -> str:
    from jobdesk.schedules.times import check_cron

    return check_cron(text)


def _timezone(name: str) -> str:
    from jobdesk.schedules.times import zone

    return zone(name).key


Cron = Annotated[str, AfterValidator(_cron)]
Timezone = Annotated[str, AfterValidator(_timezone)]


class Section(BaseModel):
    """A table of the settings; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeskSettings(Section):
    workers: int = Field(ge=0, le=256)
    synchronous: Literal["full", "normal"]
    stop_grace: Seconds
    cancel_grace: Seconds
    memory_limit: Bytes
    nice: int = Field(ge=0, le=19)
    aging: SpanOrOff
    retention: SpanOrOff


class Defaults(Section):
    retries: int = Field(ge=0)
    retry_delay: Seconds
    backoff: Backoff
    factor: float = Field(ge=1)
    max_delay: Seconds
    jitter: float = Field(ge=0, le=1)
    timeout: Seconds = Field(gt=0)


class QueueSettings(Section):
    description: str = ""
    priority: PriorityNumber = 50
    concurrency: int | None = Field(default=None, ge=1)
    ttl: Seconds | None = None
    dead_letter_ttl: Seconds | None = None
    max_size: int | None = Field(default=None, ge=1)
    keep_completed: int | None = Field(default=None, ge=0)
    keep_failed: int | None = Field(default=None, ge=0)
    retries: int | None = Field(default=None, ge=0)
    retry_delay: Seconds | None = None
    backoff: Backoff | None = None
    factor: float | None = Field(default=None, ge=1)
    max_delay: Seconds | None = None
    jitter: float | None = Field(default=None, ge=0, le=1)
    rate_limit: RateLimit | None = None


class TypeSettings(BaseModel):
    """`[types.TYPE]`: overrides of a job type; keys beyond these are the processor's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    queue: str | None = None
    priority: PriorityNumber | None = None
    retries: int | None = Field(default=None, ge=0)
    retry_delay: Seconds | None = None
    backoff: Backoff | None = None
    factor: float | None = Field(default=None, ge=1)
    max_delay: Seconds | None = None
    jitter: float | None = Field(default=None, ge=0, le=1)
    permanent: list[str] = []
    retry_on: list[str] = []
    timeout: Seconds | None = None
    rate_limit: RateLimit | None = None


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


class StepSettings(Section):
    """One job of a flow; see `flows.definition.Step`."""

    name: str
    type: str
    data: dict[str, Any] = {}
    after: list[str] = []
    queue: str | None = None
    priority: PriorityNumber | None = None
    retries: int | None = Field(default=None, ge=0)
    retry_delay: Seconds | None = None
    backoff: Backoff | None = None
    factor: float | None = Field(default=None, ge=1)
    max_delay: Seconds | None = None
    jitter: float | None = Field(default=None, ge=0, le=1)
    timeout: Seconds | None = Field(default=None, gt=0)
    delay: Seconds | None = None
    expires: Seconds | None = Field(default=None, gt=0)
    concurrency_key: str | None = Field(default=None, min_length=1)
    on_parent_failure: Literal["cancel", "ignore"] = "cancel"
    optional: bool = False


class HookSettings(Section):
    type: str
    data: dict[str, Any] = {}


class FlowSettings(Section):
    name: str
    description: str = ""
    steps: list[StepSettings]
    on_failure: HookSettings | None = None

    @property
    def definition(self) -> Definition:
        hook = self.on_failure
        return Definition(
            name=self.name,
            description=self.description,
            steps=[Step(**dict(step)) for step in self.steps],
            on_failure=None if hook is None else Hook(hook.type, hook.data),
        )

    @model_validator(mode="after")
    def _makes_sense(self) -> "FlowSettings":
        self.definition.check()
        return self


class ScheduleSettings(Section):
    name: str = Field(min_length=1)
    type: str = Field(min_length=1)
    cron: Cron | None = None
    at: datetime | None = None
    timezone: Timezone = "UTC"
    data: dict[str, Any] = {}
    queue: str | None = None
    priority: PriorityNumber | None = None
    missed: Missed = Missed.ONCE
    overlap: Overlap = Overlap.ALLOW

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> "ScheduleSettings":
        if (self.cron is None) == (self.at is None):
            raise ValueError(f"schedule '{self.name}' takes either cron or at: give one of the two")
        return self


def _named_once(schedules: list[ScheduleSettings]) -> list[ScheduleSettings]:
    names = [one.name for one in schedules]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"there are {names.count(name)} schedules named '{name}': give each a name of its own")
    return schedules


class StorageSettings(Section):
    path: str


class ScannerSettings(Section):
    on_missing: Literal["skip", "fail"]
    address: str
    timeout: Seconds


class ImageSettings(Section):
    sizes: list[Annotated[int, Field(ge=1, le=16384)]]
    widths: list[Annotated[int, Field(ge=1, le=16384)]]
    format: Literal["webp", "jpeg", "png"]
    quality: int = Field(ge=1, le=100)
    max_pixels: int = Field(ge=1)
    max_bytes: Bytes
    strip_gps: bool


class NotifySettings(Section):
    desktop: bool


class Config(Section):
    """All settings of a home."""

    desk: DeskSettings
    defaults: Defaults
    storage: StorageSettings
    scanner: ScannerSettings
    images: ImageSettings
    notify: NotifySettings
    queues: dict[str, QueueSettings]
    folders: list[FolderSettings]
    flows: list[FlowSettings] = []
    schedules: Annotated[list[ScheduleSettings], AfterValidator(_named_once)] = []
    types: dict[str, TypeSettings] = {}

    @field_validator("flows")
    @classmethod
    def _flows_differ(cls, flows: list[FlowSettings]) -> list[FlowSettings]:
        names = [flow.name for flow in flows]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two flows are named '{name}': give one another name")
        return flows

    @property
    def workers(self) -> int:
        """Jobs at once."""
        return self.desk.workers or max(2, os.cpu_count() or 2)
