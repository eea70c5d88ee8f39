"""What a desk does to jobs and queues: cancel, retry, edit, hold, delete, priority, pause, resume."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobdesk.core.errors import NotFound, Refused, UsageError
from jobdesk.core.job import FINAL, Job, State
from jobdesk.core.job import priority as read_priority
from jobdesk.core.who import user
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger, Tx

if TYPE_CHECKING:
    from jobdesk.ledger.audit import Deed
    from jobdesk.plugins import Registry
    from jobdesk.vault import Vault

TOGETHER = 100
"""Jobs that one transaction of a bulk action changes: claims wait no longer than for these."""


class Acting:
    """The methods of `Desk` that change jobs and queues; no object of its own."""

    ledger: Ledger

    if TYPE_CHECKING:

        @property
        def registry(self) -> Registry: ...

        @property
        def vault(self) -> Vault: ...

        def job(self, id_: str) -> Job: ...

        def full_id(self, prefix: str) -> str: ...

        def still_open(self, job: Job, data: Mapping[str, Any]) -> Collection[str]: ...

        def sync_queues(self) -> None: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

    def cancel(self, id_: str, why: str | None = None) -> State:
        """Cancel a job; a running one is asked to stop and killed after a grace. Its state afterwards."""
        from jobdesk.ledger import moves

        full = self.full_id(id_)
        with self.deed("cancel").part() as part, part.job(full):
            return moves.cancel(part.tx, full, why or f"cancelled by {user()}")

    def retry(self, id_: str, data: Mapping[str, Any] | None = None, *, source: str | None = None) -> Job:
        """Run an ended job again, with the file it was dropped as; `data` replaces its payload after a check.

        Args:
            source: where the new payload comes from.
        """
        job, checked = self.job(id_), None
        if data is not None:
            checked = self._checked(job, data)
        with self.deed("retry").part() as part, part.job(job.id):
            _retry(part.tx, job.id, checked, source)
        return reads.job(self.ledger, job.id)

    def _checked(self, job: Job, data: Mapping[str, Any]) -> dict[str, Any]:
        """A payload that takes the place of a job's own, as it is stored."""
        from jobdesk.core.redaction import restored
        from jobdesk.sealing import Seal

        data = restored(data, job.data)  # what was masked before the person's eyes is what it was
        return self.registry.get(job.type).check(data, self.still_open(job, data), Seal(lambda: self.vault))

    def run_now(self, id_: str) -> Job:
        """Let a job that waits for its time, or for its next attempt, wait no longer."""
        from jobdesk.ledger import moves

        full = self.full_id(id_)
        with self.deed("run_now").part() as part, part.job(full):
            moves.run_now(part.tx, full)
        return reads.job(self.ledger, full)

    def hold(self, id_: str) -> Job:
        """Let a job that waits wait until it is released, whatever else would let it start.

        Raises:
            Refused: it runs, or has ended.
        """
        return self._one("hold", id_)

    def release(self, id_: str) -> Job:
        """Let a held job go.

        Raises:
            Refused: it runs, or has ended.
        """
        return self._one("release", id_)

    def first(self, id_: str) -> Job:
        """Let a job that waits go before all others, urgent ones too.

        Raises:
            Refused: it runs, or has ended.
        """
        return self._one("first", id_)

    def edit(self, id_: str, data: Mapping[str, Any]) -> Job:
        """Give a job that waits another payload, after a check.

        Raises:
            PayloadError: its processor does not take it.
            Refused: it runs, or has ended.
        """
        from jobdesk.ledger import editing

        job = self.job(id_)
        checked = self._checked(job, data)
        with self.deed("edit").part() as part, part.job(job.id):
            editing.set_data(part.tx, job.id, checked, user())
        return reads.job(self.ledger, job.id)

    def delete(self, id_: str) -> None:
        """Remove a job that does not run, with its history."""
        from jobdesk.ledger import moves

        full = self.full_id(id_)
        with self.deed("delete").part() as part, part.job(full):
            moves.delete(part.tx, full)

    def set_priority(self, id_: str, priority: str | int) -> Job:
        """Let a job that waits come earlier or later: urgent, high, normal, low, or 0-100.

        Raises:
            UsageError: it is none of these.
            Refused: the job runs, or has ended.
        """
        return self._one("priority", id_, priority=priority)

    def _one(self, action: str, id_: str, *, priority: str | int | None = None) -> Job:
        full = self.full_id(id_)
        (why,) = self.each(action, [full], priority=priority).values()
        if why is not None:
            raise Refused(why)
        return reads.job(self.ledger, full)

    def each(
        self,
        action: str,
        job_ids: Sequence[str],
        under: "Deed | None" = None,
        *,
        priority: str | int | None = None,
    ) -> dict[str, str | None]:
        """Do something to many jobs, by their full ids; for each why it was refused, or None.

        Args:
            action: cancel, retry, delete, run_now, hold, release, first or priority.
            under: the action that they are part of, where several calls make one.
            priority: the new one, as `set_priority` takes it.

        Raises:
            UsageError: it is no priority.
        """
        from jobdesk.ledger import holding, moves, priorities

        why = f"cancelled by {user()}"
        ways: dict[str, Callable[[Tx, str], object]] = {
            "cancel": lambda tx, id_: moves.cancel(tx, id_, why),
            "retry": _retry,
            "delete": moves.delete,
            "run_now": moves.run_now,
            "hold": lambda tx, id_: holding.hold(tx, id_, user()),
            "release": lambda tx, id_: holding.release(tx, id_, user()),
            "first": lambda tx, id_: priorities.set_first(tx, id_, user()),
        }
        if priority is not None:
            level = _level(priority)
            ways["priority"] = lambda tx, id_: priorities.set_priority(tx, id_, level, user())
        deed = under or self.deed(action)
        answers: dict[str, str | None] = {}
        for start in range(0, len(job_ids), TOGETHER):
            with deed.part() as part:
                for id_ in job_ids[start : start + TOGETHER]:
                    try:  # a refused move has changed nothing yet
                        with part.job(id_):
                            ways[action](part.tx, id_)
                        answers[id_] = None
                    except (NotFound, Refused) as error:
                        answers[id_] = str(error)
        return answers

    def pause(self, queue: str) -> bool:
        """Start no more jobs of a queue. False: it was paused already."""
        from jobdesk.ledger import queues

        self.sync_queues()
        with self.deed("pause", target=f"queue {queue}").writing() as tx:
            return queues.pause(tx, queue, user())

    def resume(self, queue: str) -> bool:
        """Start jobs of a queue again. False: it was not paused."""
        from jobdesk.ledger import queues

        self.sync_queues()
        with self.deed("resume", target=f"queue {queue}").writing() as tx:
            return queues.resume(tx, queue, user())

    def clean(self, queue: str, state: State | str, before: float) -> int:
        """Remove the queue's jobs that reached this final state before an instant (epoch seconds); how many.

        Raises:
            UsageError: it is no final state.
        """
        from jobdesk.ledger.clean import clean

        if state not in FINAL:
            raise UsageError(f"'{state}' is no state that jobs end in: these are {', '.join(sorted(FINAL))}")
        return clean(
            self.ledger, queue, State(state), before, user(), self.deed("clean", target=f"queue {queue}").writing
        )


def _level(priority: str | int) -> int:
    try:
        return read_priority(priority)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _retry(tx: Tx, id_: str, data: Mapping[str, Any] | None = None, source: str | None = None) -> None:
    from jobdesk.folders.finish import bring_back
    from jobdesk.ledger import moves

    moves.retry(tx, id_, data, source)
    bring_back(tx, id_)
