"""`[desk]` and `[defaults]`."""

from typing import Literal

from pydantic import Field

from jobdesk.core.retry import Backoff
from jobdesk.sections.fields import Bytes, Factor, Seconds, Section, SpanOrOff


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
    factor: Factor
    max_delay: Seconds
    jitter: float = Field(ge=0, le=1)
    timeout: Seconds = Field(gt=0)
