"""What a desk does to jobs and queues: cancel, retry, delete, pause, resume."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import Job, State
from jobdesk.core.who import user
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger, Tx

if TYPE_CHECKING:
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

    def cancel(self, id_: str, why: str | None = None) -> State:
        """Cancel a job; a running one is asked to stop and killed after a grace. Its state afterwards."""
        from jobdesk.ledger import moves

        with self.ledger.write() as tx:
            return moves.cancel(tx, self.full_id(id_), why or f"cancelled by {user()}")

    def retry(self, id_: str, data: Mapping[str, Any] | None = None) -> Job:
        """Run an ended job again, with the file it was dropped as; `data` replaces its payload after a check."""
        job, checked = self.job(id_), None
        if data is not None:
            from jobdesk.core.redaction import restored
            from jobdesk.sealing import Seal

            data = restored(data, job.data)  # what was masked before the person's eyes is what it was
            checked = self.registry.get(job.type).check(data, self.still_open(job, data), Seal(lambda: self.vault))
        with self.ledger.write() as tx:
            _retry(tx, job.id, checked)
        return reads.job(self.ledger, job.id)

    def run_now(self, id_: str) -> Job:
        """Let a job that waits for its time, or for its next attempt, wait no longer."""
        from jobdesk.ledger import moves

        full = self.full_id(id_)
        with self.ledger.write() as tx:
            moves.run_now(tx, full)
        return reads.job(self.ledger, full)

    def delete(self, id_: str) -> None:
        """Remove a job that does not run, with its history."""
        from jobdesk.ledger import moves

        with self.ledger.write() as tx:
            moves.delete(tx, self.full_id(id_))

    def each(self, action: str, job_ids: Sequence[str]) -> dict[str, str | None]:
        """`cancel`, `retry`, `delete` or `run_now` many jobs, by full ids; for each why it was refused, or None."""
        from jobdesk.ledger import moves

        why = f"cancelled by {user()}"
        ways: dict[str, Callable[[Tx, str], object]] = {
            "cancel": lambda tx, id_: moves.cancel(tx, id_, why),
            "retry": _retry,
            "delete": moves.delete,
            "run_now": moves.run_now,
        }
        answers: dict[str, str | None] = {}
        for start in range(0, len(job_ids), TOGETHER):
            with self.ledger.write() as tx:
                for id_ in job_ids[start : start + TOGETHER]:
                    try:  # a refused move has changed nothing yet
                        ways[action](tx, id_)
                        answers[id_] = None
                    except (NotFound, Refused) as error:
                        answers[id_] = str(error)
        return answers

    def pause(self, queue: str) -> bool:
        """Start no more jobs of a queue. False: it was paused already."""
        from jobdesk.ledger import queues

        self.sync_queues()
        with self.ledger.write() as tx:
            return queues.pause(tx, queue, user())

    def resume(self, queue: str) -> bool:
        """Start jobs of a queue again. False: it was not paused."""
        from jobdesk.ledger import queues

        self.sync_queues()
        with self.ledger.write() as tx:
            return queues.resume(tx, queue, user())


def _retry(tx: Tx, id_: str, data: Mapping[str, Any] | None = None) -> None:
    from jobdesk.folders.finish import bring_back
    from jobdesk.ledger import moves

    moves.retry(tx, id_, data)
    bring_back(tx, id_)
