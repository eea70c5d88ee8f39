"""The part of the desk that looks: at jobs, what happened to them, and how the desk does. It changes nothing."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.dead_letters import queue_of
from jobdesk.core.durations import seconds
from jobdesk.core.errors import ConfigError, LedgerError, NotFound, UsageError, WaitTimeout
from jobdesk.core.events import Event, Kind
from jobdesk.core.job import FINAL, Job, State
from jobdesk.core.levels import at_least
from jobdesk.core.nearest import nearest
from jobdesk.ledger import reads, workers

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.ledger import search


class Looking:
    """What `Desk` says without changing anything; no object of its own."""

    def full_id(self, prefix: str) -> str:
        """The id of the one job that a shortened id fits."""
        return reads.full_id(self._desk.ledger, prefix)

    def job(self, id_: str) -> Job:
        """A whole job; `id_` may be shortened to a unique beginning."""
        return reads.job(self._desk.ledger, self.full_id(id_))

    def jobs(self, query: str = "", *, limit: int = 50, page: str | None = None, skip: int = 0) -> "search.Page":
        """Jobs that match a query, newest first, a page at a time: by the token of the page before, or by `skip`.

        Raises:
            QueryError: the query cannot be read.
        """
        from jobdesk.core.query import parse
        from jobdesk.ledger import search

        return search.page(self._desk.ledger, parse(query), limit=limit, token=page, skip=skip)

    def count(self, query: str = "") -> tuple[int, bool]:
        """How many jobs match, and whether that is exact; if not, there are at least so many.

        Raises:
            QueryError: the query cannot be read.
        """
        from jobdesk.core.query import parse
        from jobdesk.ledger import search

        return search.count(self._desk.ledger, parse(query))

    def queue_health(self) -> dict[str, Any]:
        """What the health says of each queue: `status`, `reason`, and its numbers."""
        from jobdesk.monitoring.check import Scene
        from jobdesk.monitoring.queue_health import queues

        desk = self._desk
        desk.sync_queues()
        scene = Scene(desk.ledger, desk.home.path, desk.clock.now(), reads.queues(desk.ledger), desk.consumers())
        return queues(scene).details

    def last_ends(self) -> dict[str, float]:
        """The last minute, of a week, in which a job of each queue ended; epoch seconds."""
        from jobdesk.ledger import rollups

        return rollups.last_ends(self._desk.ledger)

    def queue(self, name: str) -> "reads.Queue":
        """One queue with its live counts; NAME.dlq is its dead letters alone, dead-letter those of all queues.

        Raises:
            NotFound: there is none of this name; it says the nearest.
        """
        queues = self._desk.queues()
        for found in queues:
            if found.name == name:
                return found
        if (meant := queue_of(name)) is not None and (dead := reads.dead_letters(queues, name, meant)) is not None:
            return dead
        raise NotFound(f"there is no queue {name}{nearest(name, [one.name for one in queues])}")

    def asset(self, id_: str) -> Mapping[str, Any]:
        """The record of an asset, by its id or a unique beginning of it.

        Raises:
            NotFound: there is none.
            UsageError: several begin like this.
        """
        return reads.asset(self._desk.ledger, id_)

    def wait(self, *job_ids: str, timeout: str | float | None = None) -> Job:
        """Block until the jobs have ended; the last of them.

        Raises:
            UsageError: no job is named.
            WaitTimeout: `timeout` passed first.
        """
        if not job_ids:
            raise UsageError("no job is named: give the ids of those to wait for")
        wanted = [self.full_id(id_) for id_ in job_ids]
        deadline = None if timeout is None else self._desk.clock.monotonic() + seconds(timeout)
        while True:
            seen = self._desk.wake.generation
            states = reads.states(self._desk.ledger, wanted)
            left = [id_ for id_ in wanted if states.get(id_, State.CANCELLED) not in FINAL]
            if not left:
                return reads.job(self._desk.ledger, wanted[-1])
            remaining = None if deadline is None else deadline - self._desk.clock.monotonic()
            if remaining is not None and remaining <= 0:
                which = f"{len(left)} of {len(wanted)} jobs have" if len(wanted) > 1 else f"job {left[0]} has"
                whose = f"{left[0]} is" if len(wanted) > 1 else "it is"
                raise WaitTimeout(f"{which} not ended yet: {whose} {states[left[0]]}")
            self._desk.wake.wait(seen, 0.1 if remaining is None else min(0.1, remaining))

    def events(self, *, after: int = 0, job: str | None = None, follow: bool = False) -> Iterator[Event]:
        """Events with an id above `after`, oldest first; with `follow` it goes on for ever."""
        wanted = None if job is None else self.full_id(job)
        while True:
            seen = self._desk.wake.generation
            found = reads.events(self._desk.ledger, after=after, job=wanted)
            yield from found
            if found:
                after = found[-1].id
            elif not follow:
                return
            else:
                self._desk.wake.wait(seen, 0.1)

    def logs(
        self, job: str, *, follow: bool = False, level: str | None = None, since: float | None = None
    ) -> Iterator[Event]:
        """The log lines of a job; with `follow` until it has ended.

        Args:
            level: the least that is wanted: debug, info, warning, error.
            since: epoch seconds; lines before are left out.
        """
        id_, after = self.full_id(job), 0
        while True:
            seen = self._desk.wake.generation
            ended = reads.states(self._desk.ledger, [id_]).get(id_, State.CANCELLED) in FINAL
            found = reads.events(self._desk.ledger, after=after, job=id_, kinds=[Kind.JOB_LOG])
            for event in found:
                if at_least(str(event.data.get("level", "info")), level) and (since is None or event.at >= since):
                    yield event
            if found:
                after = found[-1].id
            elif ended or not follow:
                return
            else:
                self._desk.wake.wait(seen, 0.1)

    def own_log(
        self, *, follow: bool = False, level: str | None = None, since: float | None = None, last: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """What the desk itself logged: consumers and terminal apps of this home, oldest line first.

        Args:
            follow: go on for ever.
            level: the least that is wanted.
            since: epoch seconds.
            last: at most so many of the lines that are there already.
        """
        from jobdesk import logbook

        folder, clock = self._desk.home.logs, self._desk.clock
        return logbook.lines(folder, clock, level=level, since=since, follow=follow, last=last)

    def why(self, id_: str) -> list[str]:
        """Why a job does not run yet, or how it ended, in sentences; the most telling first."""
        from jobdesk.monitoring.why import why

        desk = self._desk
        job = desk.job(id_)
        types, service = desk.registry.processors, desk.needed_by(job)
        return why(desk.ledger, job, types, desk.clock.now(), consumers=desk.consumers(), service=service)

    def metrics(self, *, queue: str | None = None, type: str | None = None, hours: float = 24) -> dict[str, Any]:
        """Counts, rates (percent) and times (milliseconds) of the jobs that ended in the last `hours`.

        Raises:
            NotFound: there is no such queue.
        """
        from jobdesk.monitoring.metrics import metrics

        desk = self._desk
        if queue is not None:
            desk.sync_queues()
            reads.queue(desk.ledger, queue)
        now, consumers = desk.clock.now(), desk.consumers()
        return metrics(desk.ledger, queue=queue, type=type, hours=hours, now=now, consumers=consumers)

    def metrics_between(self, since: float, until: float) -> dict[str, Any]:
        """Counts, rates and times of the jobs that ended from one instant to another (epoch seconds), by the hour.

        Older than ninety days, it is whole days of UTC.
        """
        from jobdesk.monitoring.metrics import between

        return between(self._desk.ledger, since, until)

    def health(self, *, detailed: bool = False) -> dict[str, Any]:
        """Whether all is well: `status` (healthy, warning, error), a bool for each of `checks`, `problems` in words.

        Wrong settings are one of the problems.
        """
        from jobdesk.monitoring.health import health

        desk = self._desk
        places, wrong = [], None
        try:
            desk.settings.renew()
            config, wrong = desk.config, desk.settings.problem
            places = [desk.home.path / config.storage.path, *(rule.path for rule in desk.folder_rules())]
        except ConfigError as error:
            wrong = str(error)
        try:
            known, alive = workers.running(desk.ledger), desk.consumers()
        except LedgerError:  # the check of the database says it
            known, alive = [], []
        return health(
            desk.ledger,
            home=desk.home.path,
            consumers=alive,
            lost=[one for one in known if one.id not in {other.id for other in alive}],
            now=desk.clock.now(),
            places=places,
            problem=wrong,
            detailed=detailed,
        )

    @property
    def _desk(self) -> "Desk":
        return cast("Desk", self)
