"""What the bodies of requests may say. A number is milliseconds where a span is meant, text is like 5s or 2m."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from jobdesk.core.durations import LONGEST_S, seconds
from jobdesk.core.errors import UsageError
from jobdesk.core.job import priority as read_priority
from jobdesk.web.route import Given

Key = Annotated[str, Field(min_length=1, max_length=500)]
Data = dict[str, Any]


def _duration(text: str) -> str:
    seconds(text)
    return text


Span = Annotated[int, Field(ge=0, le=int(LONGEST_S * 1000))] | Annotated[str, AfterValidator(_duration)]


def _priority(value: str) -> str:
    read_priority(value)
    return value


Priority = Annotated[int, Field(ge=0, le=100)] | Annotated[str, AfterValidator(_priority)]


def span_s(given: "Span | None") -> float | None:
    """A span of a body, in seconds."""
    if given is None:
        return None
    return given / 1000 if isinstance(given, int) else seconds(given)


class Options(Given):
    """How a job is to run, where that is not as its type and queue have it."""

    priority: Priority | None = Field(default=None, description="urgent, high, normal, low or 0-100.")
    attempts: int | None = Field(default=None, ge=1, le=1000, description="All of them, the first included.")
    max_retries: int | None = Field(default=None, ge=0, le=999, alias="maxRetries")
    delay: Span | None = Field(default=None, description="Start so much later.")
    run_at: Key | None = Field(default=None, alias="runAt", description="Start then: ISO 8601.")
    retry_delay: Span | None = Field(default=None, alias="retryDelay")
    retry_backoff: Literal["fixed", "linear", "exponential"] | None = Field(default=None, alias="retryBackoff")
    backoff_multiplier: float | None = Field(default=None, ge=1, le=1000, alias="backoffMultiplier")
    max_retry_delay: Span | None = Field(default=None, alias="maxRetryDelay")
    timeout: Span | None = Field(default=None, description="Of one attempt.")
    expires: Span | None = Field(default=None, description="Give up if it has not started by then.")
    after: list[Key] | None = Field(default=None, max_length=1000, description="Jobs that must complete first.")
    unique: Key | None = Field(default=None, description="Store none while one with this key is in flight.")
    unique_for: Span | None = Field(default=None, alias="uniqueFor")
    concurrency_key: Key | None = Field(default=None, alias="concurrencyKey")

    def submitted(self) -> dict[str, Any]:
        """The same as options of a `Submission`.

        Raises:
            UsageError: two of them say the same, or `runAt` is no instant.
        """
        if self.attempts is not None and self.max_retries is not None:
            raise UsageError("attempts and maxRetries say the same: give one of them")
        if self.delay is not None and self.run_at is not None:
            raise UsageError("delay and runAt say the same: give one of them")
        return {
            "priority": self.priority,
            "retries": self.max_retries if self.attempts is None else self.attempts - 1,
            "delay": span_s(self.delay),
            "run_at": None if self.run_at is None else _instant(self.run_at),
            "retry_delay": span_s(self.retry_delay),
            "backoff": self.retry_backoff,
            "factor": self.backoff_multiplier,
            "max_delay": span_s(self.max_retry_delay),
            "timeout": span_s(self.timeout),
            "expires": span_s(self.expires),
            "after": tuple(self.after or ()),
            "unique": self.unique,
            "unique_for": span_s(self.unique_for),
            "concurrency_key": self.concurrency_key,
        }


class NewJob(Options):
    """A job to be stored. Options stand in `options`, or beside `type`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "queue": "business-discovery",
                    "type": "discover-with-instagram",
                    "data": {"businessName": "Downtown Restaurant", "location": "New York, NY", "radius": 50},
                    "options": {"priority": 5, "attempts": 3, "delay": 0},
                }
            ]
        }
    )
    type: Key
    queue: Key | None = None
    data: Data = {}
    options: Options | None = None

    def wanted(self) -> dict[str, Any]:
        """Its options, wherever they stand.

        Raises:
            UsageError: one stands in both places.
        """
        beside = self.model_fields_set & Options.model_fields.keys()
        if self.options is None:
            return self.submitted()
        if twice := beside & self.options.model_fields_set:
            raise UsageError(f"'{min(twice)}' stands in options and beside them: give it once")
        return self.options.model_copy(update={name: getattr(self, name) for name in beside}).submitted()


class DelayedJob(NewJob):
    """A job that starts later."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "queue": "video-analysis",
                    "type": "analyze-video-content",
                    "data": {"videoId": "video123", "analysisType": "comprehensive"},
                    "delayMs": 300000,
                }
            ]
        }
    )
    delay_ms: int = Field(alias="delayMs", ge=0, le=int(LONGEST_S * 1000))


class Template(Given):
    """The job that a schedule makes."""

    type: Key
    data: Data = {}
    queue: Key | None = None
    priority: Priority | None = None


class Repeating(Given):
    """A schedule. Its job stands in `jobData`, or beside the rest; its times in `cronExpression`, or `schedule`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "daily-reports",
                    "data": {},
                    "cronExpression": "0 2 * * *",
                    "description": "What the day was like",
                    "replace": True,
                }
            ]
        }
    )
    name: Key | None = Field(default=None, description="The type's name if not said.")
    cron_expression: Key | None = Field(default=None, alias="cronExpression")
    schedule: Key | None = Field(default=None, description="The same as cronExpression.")
    timezone: Key | None = Field(default=None, description="In which it is read; UTC if not said.")
    description: str | None = Field(default=None, description="Taken as others send it; not kept.")
    replace: bool = Field(default=False, description="It may take the place of one that was added before.")
    type: Key | None = None
    data: Data | None = None
    queue: Key | None = None
    priority: Priority | None = None
    job_data: Template | None = Field(default=None, alias="jobData")

    @model_validator(mode="after")
    def _said_once(self) -> "Repeating":
        if (self.cron_expression is None) == (self.schedule is None):
            raise ValueError("say when: give cronExpression (or schedule), one of them")
        if (self.type is None) == (self.job_data is None):
            raise ValueError("say which job: give type, or jobData, one of them")
        return self

    @property
    def cron(self) -> str:
        return self.cron_expression or self.schedule or ""

    @property
    def job(self) -> Template:
        if self.job_data is not None:
            return self.job_data
        return Template(type=self.type or "", data=self.data or {}, queue=self.queue, priority=self.priority)


class RetryOne(Given):
    """An ended job that is to run again."""

    job_id: Key = Field(alias="jobId")
    queue_name: Key | None = Field(default=None, alias="queueName", description="Refused if it is in another queue.")
    data: Data | None = Field(default=None, description="Takes the place of its data.")


class RetryThis(Given):
    """What is to be different when a job runs again."""

    data: Data | None = Field(default=None, description="Takes the place of its data.")


class Cleaning(Given):
    """Which ended jobs of a queue are removed."""

    older_than: Span = Field(default=0, alias="olderThan", description="Only those that ended so long ago.")
    status: Literal["completed", "failed", "cancelled", "expired"] = "completed"


def _instant(text: str) -> float:
    from jobdesk.core.clock import instant

    try:
        return instant(text)
    except (ValueError, OverflowError):
        raise UsageError(f"'{text}' is not an instant: write it like 2027-01-31T18:00:00Z") from None
