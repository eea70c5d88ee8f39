"""`[[flows]]`."""

from typing import Any, Literal

from pydantic import Field, model_validator

from jobdesk.core.retry import Backoff
from jobdesk.flows.definition import Definition, Hook, Step
from jobdesk.sections.fields import Factor, PriorityNumber, Seconds, Section


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
    factor: Factor | None = None
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
