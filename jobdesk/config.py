"""Settings: the defaults, HOME/jobdesk.toml, and the environment, checked once into one frozen object.

Units are in the types: every duration is in seconds once read, every size in bytes.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from jobdesk.core.durations import bytes_, seconds
from jobdesk.core.errors import ConfigError
from jobdesk.core.job import priority
from jobdesk.core.nearest import nearest
from jobdesk.core.rate import Rate, rate
from jobdesk.core.retry import Backoff
from jobdesk.core.schedule import Missed, Overlap

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
FILE = "jobdesk.toml"


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
    schedules: Annotated[list[ScheduleSettings], AfterValidator(_named_once)] = []
    types: dict[str, TypeSettings] = {}

    @property
    def workers(self) -> int:
        """Jobs at once."""
        return self.desk.workers or max(2, os.cpu_count() or 2)


def load(home: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings of a home.

    Raises:
        ConfigError: a file cannot be read, or a key or value is wrong; names file, line, key and the nearest right one.
    """
    path = home / FILE
    merged = tomllib.loads(defaults_text())
    text = ""
    if path.exists():
        try:
            text = path.read_text("utf-8")
            own = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        merged = _merge(merged, own)
    named = _from_environment(environment)
    merged = _merge(merged, named)
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, text, bool(named))) from None


def defaults_text() -> str:
    """The text of the default settings, comments and all."""
    return (files("jobdesk") / "defaults.toml").read_text("utf-8")


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables join key by key; anything else, lists too, is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


_NOT_SETTINGS = {"JOBDESK_HOME"}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """JOBDESK_DESK__WORKERS=8 as {"desk": {"workers": 8}}; values are read as TOML where they can be."""
    found: dict[str, Any] = {}
    for name, raw in sorted(environment.items()):
        if not name.startswith("JOBDESK_") or name in _NOT_SETTINGS or "__" not in name:
            continue
        section, _, key = name.removeprefix("JOBDESK_").partition("__")
        try:
            value = tomllib.loads(f"value = {raw}")["value"]
        except tomllib.TOMLDecodeError:
            value = raw
        table = found.setdefault(section.lower(), {})
        *path, last = key.split("__")
        for part in path:
            table = table.setdefault(part if section in ("QUEUES", "TYPES") else part.lower(), {})
            if not isinstance(table, dict):
                raise ConfigError(f"the environment sets both {name} and what it stands in: unset one of them")
        table[last.lower()] = value
    return found


def _explain(error: ValidationError, path: Path, text: str, environment: bool) -> str:
    said = []
    for item in error.errors(include_url=False):
        location = [str(part) for part in item["loc"]]
        name = ".".join(location)
        line = _line_of(text, location)
        where = f"{path}, line {line}" if line else ("the environment" if environment else str(path))
        if item["type"] == "extra_forbidden":
            said.append(f"{where}: '{name}' is not a setting{nearest(location[-1], _known(location[:-1]))}")
        else:
            said.append(f"{where}: '{name}' is wrong: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(said)


def _known(location: list[str]) -> list[str]:
    """The keys that fit at a place in the settings."""
    model: Any = Config
    for part in location:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        annotation = field.annotation if field else model
        inner = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type)]
        model = next((one for one in inner if issubclass(one, BaseModel)), model)
    return list(model.model_fields)


def _line_of(text: str, location: list[str]) -> int | None:
    """The line where a key stands in the TOML text, as well as it can be told without a full parse."""
    table, seen, index = "", 0, next((int(part) for part in location if part.isdecimal()), None)
    head = [part for part in location if not part.isdecimal()]
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?$", line):
            table = found[1].replace('"', "").replace("'", "")
            seen += table == head[0]
            if table == ".".join(head):
                return number
        elif (found := re.match(r"\s*([\w.\"'-]+)\s*=", line)) and (index is None or seen == index + 1):
            key = found[1].replace('"', "").replace("'", "")
            full = f"{table}.{key}" if table else key
            if full == ".".join(head) or ".".join(head).startswith(full + "."):
                return number
    return None
