"""What a desk does with schedules: the part of `Desk` that has its own subject, and nothing of its own to keep."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from jobdesk.core.clock import iso
from jobdesk.core.errors import UsageError
from jobdesk.core.job import Job, NewJob
from jobdesk.core.job import priority as read_priority
from jobdesk.core.who import user
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.settings import Settings

if TYPE_CHECKING:
    from jobdesk.core.schedule import Schedule, ScheduleSpec
    from jobdesk.core.submission import Submission
    from jobdesk.ledger.audit import Deed
    from jobdesk.plugins import Registry
    from jobdesk.sections import Config
    from jobdesk.sections.schedules import ScheduleSettings
    from jobdesk.vault import Vault

Choice = TypeVar("Choice", bound=StrEnum)


class Scheduling:
    """The methods of `Desk` about schedules. Names are those of the settings and those added while it runs."""

    ledger: Ledger
    settings: Settings
    _in_line: "Config | None" = None

    if TYPE_CHECKING:

        @property
        def config(self) -> Config: ...

        @property
        def registry(self) -> Registry: ...

        @property
        def vault(self) -> Vault: ...

        def prepare(self, wanted: Submission) -> NewJob: ...

        def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

    def schedules(self) -> "list[Schedule]":
        """Every schedule of settings and ledger, by name."""
        from jobdesk.ledger import schedules as table

        self.sync_schedules()
        return table.every(self.ledger)

    def schedule(self, name: str) -> "Schedule":
        """One schedule.

        Raises:
            NotFound: there is none of this name.
        """
        from jobdesk.ledger import schedules as table

        self.sync_schedules()
        return table.get(self.ledger, name)

    def add_schedule(
        self,
        name: str,
        type: str,
        *,
        cron: str | None = None,
        at: str | float | None = None,
        timezone: str | None = None,
        data: Mapping[str, Any] | None = None,
        queue: str | None = None,
        priority: str | int | None = None,
        missed: str = "once",
        overlap: str = "allow",
        replace: bool = False,
        source: str = "schedule",
    ) -> "Schedule":
        """Make jobs of a type at the times of a cron expression, or once; it holds from now on, for every consumer.

        Args:
            cron: five fields (minute, hour, day, month, weekday), or @hourly, @daily, @weekly, @monthly, @yearly.
            at: the one time instead: epoch seconds or ISO 8601; without an offset it is wall time in `timezone`, or
                of this machine if that is None.
            timezone: the name of one, like Europe/Berlin, in which `cron` is read; None is UTC.
            missed: skip, once or all: what becomes of times that passed while nobody worked.
            overlap: skip or allow: what happens at a time when a job of this schedule has not ended.
            replace: it may take the place of one that was added before.
            source: of its jobs.

        Raises:
            UsageError: an option is wrong, the type is unknown, or its data does not fit.
            Refused: the name is taken, or belongs to the settings.
        """
        from jobdesk.core.schedule import Missed, Overlap, ScheduleSpec
        from jobdesk.core.submission import Submission
        from jobdesk.ledger import schedules as table
        from jobdesk.schedules import catalog

        try:
            spec = ScheduleSpec(
                name=name,
                type=type,
                cron=cron,
                at=_moment(at, timezone),
                timezone="UTC" if timezone is None else timezone,
                data=dict(data or {}),
                queue=queue,
                priority=None if priority is None else read_priority(priority),
                missed=_one_of(Missed, missed, "missed"),
                overlap=_one_of(Overlap, overlap, "overlap"),
                source=source,
            )
        except ValueError as error:
            raise UsageError(f"schedule {name}: {error}") from None
        catalog.checked(spec)
        made = self.prepare(Submission(type=type, data=spec.data, queue=queue, priority=spec.priority))
        secrets = self.registry.get(type).secrets
        sealed = json.loads(made.data)
        spec = _with(spec, {key: sealed[key] if key in secrets else one for key, one in spec.data.items()})
        self.sync_schedules()
        with self.deed("add", target=f"schedule {name}").writing() as tx:
            catalog.add(tx, spec, user(), change=replace)
        return table.get(self.ledger, name)

    def remove_schedule(self, name: str) -> None:
        """Forget a schedule that was added; the jobs it made stay.

        Raises:
            NotFound: there is none of this name.
            Refused: it belongs to the settings.
        """
        from jobdesk.schedules import catalog

        self.sync_schedules()
        with self.deed("remove", target=f"schedule {name}").writing() as tx:
            catalog.remove(tx, name)

    def pause_schedule(self, name: str) -> bool:
        """Let it make no jobs by itself. False: it was paused already."""
        from jobdesk.schedules import catalog

        self.sync_schedules()
        with self.deed("pause", target=f"schedule {name}").writing() as tx:
            return catalog.pause(tx, name, user())

    def resume_schedule(self, name: str) -> bool:
        """Let it make jobs again, from its next time on; a built-in one is added. False: it was not paused."""
        from jobdesk.schedules import catalog

        built_in = next((one for one in self.schedules_off() if one.name == name), None)
        if built_in is not None:
            self.add_schedule(
                name, built_in.type, cron=built_in.cron, data=built_in.data, overlap=built_in.overlap.value
            )
            return True
        with self.deed("resume", target=f"schedule {name}").writing() as tx:
            return catalog.resume(tx, name)

    def schedules_off(self) -> "list[ScheduleSpec]":
        """The built-in schedules that were not added: `resume_schedule` switches one on."""
        from jobdesk.schedules.builtin import BUILT_IN

        there = {one.name for one in self.schedules()}
        return [spec for name, spec in BUILT_IN.items() if name not in there]

    def trigger_schedule(self, name: str) -> Job:
        """Make its job now, also while it is paused or a former one runs; its times stay as they are.

        Raises:
            NotFound: there is none of this name.
            UsageError: its type is unknown, or its data does not fit any more.
        """
        from jobdesk.ledger import schedules as table
        from jobdesk.schedules.scheduler import job_of

        who = user()
        found = self.schedule(name)
        made = replace(job_of(found, self.prepare), user=found.user or who)
        with self.deed("trigger", target=f"schedule {name}").part(undoable=False) as part:
            (id_,) = self.store(part.tx, [made])
            table.fired(part.tx, name, id_, None, by=who)
            part.say(jobs=[id_])
        return reads.job(self.ledger, id_)

    def next_times(self, name: str, count: int = 5) -> list[float]:
        """The next times of a schedule, epoch seconds; as if it were not paused.

        Raises:
            NotFound: there is none of this name.
            UsageError: its timezone is not known on this machine any more.
        """
        from jobdesk.schedules import catalog

        found = self.schedule(name)
        try:
            return list(islice(catalog.upcoming(found.spec, max(found.cursor_at, self.ledger.clock.now())), count))
        except ValueError as error:
            raise UsageError(f"schedule {name}: {error}") from None

    def schedule_json(self, one: "Schedule") -> dict[str, Any]:
        """The shape that commands print with --json: the schedule, when it comes in words, and its next times."""
        try:
            times = self.next_times(one.name)
        except UsageError:  # its timezone is not known any more: its row says so
            times = []
        return one.to_json() | {"words": in_words(one.spec), "next": [iso(at) for at in times]}

    def schedule_runs(self, name: str, limit: int = 50) -> list[dict[str, Any]]:
        """What became of the latest times of a schedule, newest first: `fire_at`, `at`, `job`, `state`, `reason`."""
        from jobdesk.ledger import schedules as table

        return table.runs(self.ledger, self.schedule(name).name, limit)

    def sync_schedules(self) -> None:
        """Bring the table in line with the settings, once for each time they were read: others may be newer."""
        from jobdesk.schedules import catalog

        self.settings.renew()
        config = self.config
        if self._in_line is not config and not self.ledger.read_only:
            catalog.sync(self.ledger, [self._sealed(_spec(own)) for own in config.schedules])
            self._in_line = config

    def _sealed(self, spec: "ScheduleSpec") -> "ScheduleSpec":
        """As the record has it: a secret that stands in the settings in plain is encrypted there."""
        if not spec.data:
            return spec
        from jobdesk.ledger import schedules as table
        from jobdesk.sealing import sealed_data

        processor = self.registry.processors.get(spec.type)
        if processor is None or not processor.secrets:
            return spec
        old = next((one.spec.data for one in table.every(self.ledger) if one.name == spec.name), {})
        return _with(spec, sealed_data(processor, spec.data, self.vault, old))


def _with(spec: "ScheduleSpec", data: Mapping[str, Any]) -> "ScheduleSpec":
    return replace(spec, data=data)


def _spec(own: "ScheduleSettings") -> "ScheduleSpec":
    from jobdesk.core.schedule import ScheduleSpec
    from jobdesk.schedules import times

    return ScheduleSpec(
        name=own.name,
        type=own.type,
        cron=own.cron,
        at=None if own.at is None else times.moment(own.at, times.zone(own.timezone)),
        timezone=own.timezone,
        data=own.data,
        queue=own.queue,
        priority=own.priority,
        missed=own.missed,
        overlap=own.overlap,
    )


def _moment(at: str | float | datetime | None, timezone: str | None) -> float | None:
    from jobdesk.schedules import times

    if at is None or isinstance(at, int | float):
        return at
    return times.moment(at, None if timezone is None else times.zone(timezone))


def _one_of(kind: type[Choice], word: str, what: str) -> Choice:
    try:
        return kind(word)
    except ValueError:
        raise ValueError(f"'{word}' does not fit {what}: it takes {', '.join(kind)}") from None


def in_words(spec: "ScheduleSpec") -> str | None:
    """When a schedule comes, in words: "At 02:30, Monday through Friday"; None for a single time."""
    from jobdesk.schedules import times

    return None if spec.cron is None else times.words(spec.cron)


def local(at: float, spec: "ScheduleSpec") -> str:
    """An instant as the schedule's own wall time, like Sun 2027-01-31 18:00:00 CET."""
    from jobdesk.schedules import times

    return datetime.fromtimestamp(at, times.zone(spec.timezone)).strftime("%a %Y-%m-%d %H:%M:%S %Z")


def preview(spec: "ScheduleSpec", since: float, count: int) -> list[float]:
    """The first times that a schedule would have after an instant, epoch seconds.

    Raises:
        UsageError: its name, expression or timezone is wrong.
    """
    from jobdesk.schedules import catalog

    return list(islice(catalog.upcoming(catalog.checked(spec), since), count))
