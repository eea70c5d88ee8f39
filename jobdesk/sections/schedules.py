"""`[[schedules]]`."""

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from jobdesk.core.schedule import Missed, Overlap
from jobdesk.sections.fields import Cron, PriorityNumber, Section, Timezone, repeated


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


def named_once(schedules: list[ScheduleSettings]) -> list[ScheduleSettings]:
    names = [one.name for one in schedules]
    if (name := repeated(names)) is not None:
        raise ValueError(f"there are {names.count(name)} schedules named '{name}': give each a name of its own")
    return schedules
