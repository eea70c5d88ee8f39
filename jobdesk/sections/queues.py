"""`[queues."NAME"]` and `[types.TYPE]`."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jobdesk.core.names import queue_name
from jobdesk.core.retry import Backoff
from jobdesk.sections.fields import Bytes, Factor, PriorityNumber, RateLimit, Seconds, Section

QueueName = Annotated[str, AfterValidator(queue_name)]


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
    factor: Factor | None = None
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
    factor: Factor | None = None
    max_delay: Seconds | None = None
    jitter: float | None = Field(default=None, ge=0, le=1)
    permanent: list[str] = []
    retry_on: list[str] = []
    timeout: Seconds | None = None
    memory_limit: Bytes | None = None
    rate_limit: RateLimit | None = None
