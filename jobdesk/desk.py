"""The desk: one object that builds ledger, processors and consumer from a home, and the one API of both faces.

    with Desk("~/desk") as desk:            # with its own consumer, unless one works on this home already
        job = desk.submit("THUMBNAIL_GENERATE", {"source": "cat.jpg"}, priority="high")
        print(desk.wait(job.id).result)

Without `with` it only reads and writes the ledger, as commands do.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from jobdesk import home as homes
from jobdesk import opening
from jobdesk.acting import Acting
from jobdesk.alerting import Alerting
from jobdesk.auditing import Auditing
from jobdesk.core.actor import Actor
from jobdesk.core.clock import Clock, SystemClock
from jobdesk.core.durations import seconds
from jobdesk.core.errors import NotFound, QueueFull, ReadOnly, UsageError
from jobdesk.core.ids import ids
from jobdesk.core.job import Job, NewJob
from jobdesk.core.who import user
from jobdesk.flow_desk import FlowDesk
from jobdesk.folder_desk import FolderDesk
from jobdesk.ledger import reads, workers
from jobdesk.ledger.database import Tx
from jobdesk.limiting import Limiting
from jobdesk.looking import Looking
from jobdesk.notifying import Notifying
from jobdesk.plugging import Plugging
from jobdesk.queue.wake import Wake
from jobdesk.scheduling import Scheduling
from jobdesk.servicing import Servicing
from jobdesk.settings import Settings
from jobdesk.speaking import Speaking
from jobdesk.upkeeping import Upkeeping
from jobdesk.watching import Watching

if TYPE_CHECKING:
    from jobdesk.core.submission import Submission
    from jobdesk.engine import Engine
    from jobdesk.prepare import Completer
    from jobdesk.sections import Config
    from jobdesk.vault import Vault

T = TypeVar("T")


class Desk(
    Looking, Watching, Acting, Speaking, Auditing, Plugging, FlowDesk, FolderDesk, Scheduling, Servicing, Limiting,
    Alerting, Notifying, Upkeeping,
):  # fmt: skip
    """A home, opened. Any thread may use it.

    What only looks is in `Looking` and `Watching`, what acts on jobs and queues in `Acting`, `Speaking` and `Limiting`,
    flows are in `FlowDesk`, drop folders in `FolderDesk`, schedules in `Scheduling`, services in `Servicing`, what
    people did and how it is undone in `Auditing`, processors in `Plugging`, alerts in `Alerting`, notices in
    `Notifying`, what keeps a home tidy in `Upkeeping`.

    Args:
        home: its folder; None for $JOBDESK_HOME or the platform's data folder. Made on first use.
        clock: the source of time; tests own it.
        read_only: only look: nothing is made or changed, whatever is asked for.
        actor: who acts, as the audit log tells it; None is a program of this user.

    Raises:
        HomeError: the home cannot be used, is not jobdesk's, or others can write it.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        clock: Clock | None = None,
        read_only: bool = False,
        actor: Actor | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.actor = actor or Actor.here("api")
        self.read_only = read_only
        self.home = (homes.existing if read_only else homes.prepare)(homes.locate(home))
        self.settings = Settings(self.home.settings, self.clock)
        self.ledger = opening.ledger(self.home, self.clock, self.settings, read_only=read_only)
        self.wake = Wake(self.home.run, deaf=read_only)
        self.ledger.on_commit.append(self.wake.committed)
        self._engine: Engine | None = None
        self._registered = []
        self._completer: Completer | None = None
        self._followed: Config | None = None

    def close(self) -> None:
        """Stop the own consumer if there is one, and close the ledger for this thread."""
        if self._engine is not None:
            self._engine.stop()
            self._engine = None
        self.wake.close()
        self.ledger.close()

    def __enter__(self) -> "Desk":
        if not self.read_only and not self.consumers():
            self._engine = self.engine("consumer")
            self._engine.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def config(self) -> "Config":
        """The settings that hold; read on first use.

        Raises:
            ConfigError: jobdesk.toml is wrong.
        """
        return self.settings.config

    @cached_property
    def vault(self) -> "Vault":
        """The keys of secrets."""
        from jobdesk.vault import Vault

        return Vault(self.home.path, lambda: self.config.secrets.store, read_only=self.read_only)

    def engine(self, kind: str, workers: int | None = None, queues: Sequence[str] | None = None) -> "Engine":
        """A consumer of this home, not yet started.

        Args:
            kind: "app" or "consumer", as shown to people.
            workers: jobs at once; None as the settings say.
            queues: only these; None means all.
        """
        from jobdesk.engine import Engine

        if self.read_only:
            raise ReadOnly("with --read-only no jobs are run: leave it out")
        return Engine(self, kind, workers or self.config.workers, queues)

    # ── submitting ──

    def submit(
        self,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        wait_for_room: str | float | None = None,
        **options: Any,
    ) -> Job:
        """Check and store one job; it is safe once this returns. Options are those of `Submission`.

        A job whose unique key is taken is not stored: the answer is the one that has it, with `existed` set.

        Raises:
            UnknownType: no processor has this type.
            PayloadError: the data does not fit it.
            NotFound, Refused: a job in `after` is missing or ended without completing.
            QueueFull: its queue has no room, nor got any within `wait_for_room`.
        """
        from jobdesk.core.submission import Submission

        made = self.prepare(Submission(type=type, data=data or {}, **options))

        def store(tx: Tx) -> Job:
            (id_,) = self.store(tx, [made])
            if id_ != made.id:
                return replace(reads.job(tx, id_), existed=True)
            return reads.job(tx, id_, with_ties=bool(made.after))  # as it was stored, whoever works on it already

        return self._with_room(store, wait_for_room)

    def submit_batch(
        self, submissions: "Sequence[Submission]", *, wait_for_room: str | float | None = None
    ) -> list[str]:
        """Check and store jobs, all or none; their ids in order.

        Raises:
            UsageError: one is wrong; the message says which (counted from 1).
            QueueFull: a queue has no room for them, nor got any within `wait_for_room`.
        """
        collects = gc.isenabled()
        gc.disable()  # it would walk the many objects that are made here again and again
        try:
            made = self._prepared(submissions)
        finally:
            if collects:
                gc.enable()
        return self._with_room(lambda tx: self.store(tx, made), wait_for_room)

    def _with_room(self, store: Callable[[Tx], T], wait_for_room: str | float | None) -> T:
        """Store what `store` does; while a queue is full, wait for room as long as that."""
        from jobdesk.ledger import room

        deadline = self.clock.monotonic() + (0.0 if wait_for_room is None else seconds(wait_for_room))
        while True:
            try:
                return self.ledger.together(store)
            except QueueFull as full:
                self.sync_queues()  # what the settings say of it was undone with the rest
                if room.never(self.ledger, full.queue, full.wanted):
                    raise
                while True:
                    seen = self.wake.generation
                    free = room.free(self.ledger, full.queue)
                    if free is None or free >= full.wanted:
                        break
                    left_s = deadline - self.clock.monotonic()
                    if left_s <= 0:
                        raise
                    self.wake.wait(seen, min(0.1, left_s))

    def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        """Store prepared jobs in a transaction that is already open; every way to add jobs leads through here.

        Limits of the settings hold from the first job on, whether a consumer has run or not.
        """
        from jobdesk import apply
        from jobdesk.ledger import queues, storing

        self.settings.renew()
        for name in dict.fromkeys(job.queue for job in jobs):
            own = self.config.queues.get(name)
            queues.ensure(tx, name, None if own is None else apply.queue_spec(own))
        return storing.submit(tx, jobs)

    def prepare(self, wanted: "Submission") -> NewJob:
        """Check a submission and fill in what it leaves open; nothing is stored."""
        return self._prepared([wanted])[0]

    def _prepared(self, several: "Sequence[Submission]") -> list[NewJob]:
        from jobdesk.batch import Names
        from jobdesk.prepare import Completer

        if self._completer is None or self._completer.config is not self.config:
            self._completer = Completer(self.config, lambda: self.vault, self.home.path)
        complete, processor = self._completer.complete, self.registry.get
        now, who, made, names = self.clock.now(), user(), list[NewJob](), Names(several)
        for wanted, id_ in zip(several, ids.several("job", now, len(several)), strict=True):
            try:
                job = complete(wanted, processor(wanted.type), wanted.id or id_, who, now)
                if wanted.parent is None and job.after:  # ids that people typed may be shortened
                    job.after = tuple(names.find(one) or self.full_id(one) for one in job.after)
                if wanted.name is not None or wanted.id is not None:
                    names.add(wanted, job.id)
            except (UsageError, NotFound) as error:
                if len(several) == 1:
                    raise
                raise error.__class__(f"job {len(made) + 1} of {len(several)}: {error}") from None
            made.append(job)
        return made

    # ── settings and processes ──

    def queues(self) -> list[reads.Queue]:
        """Every queue of settings and ledger with its live counts."""
        self.sync_queues()
        return reads.queues(self.ledger)

    def sync_queues(self) -> None:
        """Bring queues and limits in line with the settings as they are now."""
        from jobdesk import apply

        self.settings.renew()
        if not self.read_only:
            apply.settings(self.ledger, self.config)

    def follow_settings(self) -> None:
        """Let queues, limits and schedules be as jobdesk.toml has them, if it has changed; cheap if not."""
        self.settings.renew()
        if self._followed is not self.config:
            followed = self.config
            self.sync_queues()
            self.sync_schedules()
            self.note_settings()
            self._followed = followed

    def consumers(self) -> list[workers.Consumer]:
        """The processes that run jobs of this home now."""
        from jobdesk.runtime.processes import is_alive

        return [one for one in workers.running(self.ledger) if is_alive(one.pid, one.process_started)]
