"""What a desk says to running jobs: pause, go on, take a signal, read this."""

from typing import TYPE_CHECKING

from jobdesk.core.errors import Refused, UsageError
from jobdesk.core.speech import LONGEST, Speech, Word, signal_of
from jobdesk.core.who import user
from jobdesk.ledger.database import Ledger

if TYPE_CHECKING:
    from jobdesk.core.job import Job
    from jobdesk.ledger.audit import Deed
    from jobdesk.plugins import Registry


class Speaking:
    """The methods of `Desk` that reach jobs while they run; no object of its own.

    They return once it is written down; the consumer that runs the job passes it on within moments. Each raises
    `Refused` if the job does not run, or is of a type that does not hear this.
    """

    ledger: Ledger

    if TYPE_CHECKING:

        @property
        def registry(self) -> Registry: ...

        def job(self, id_: str) -> Job: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

    def pause_job(self, id_: str) -> "Job":
        """Stop a running job where it is (SIGSTOP to its process group); its time does not run on meanwhile."""
        return self._say(id_, "pause", {"pause": True}, "paused")

    def continue_job(self, id_: str) -> "Job":
        """Let a paused job go on."""
        return self._say(id_, "continue", {"continue": True}, "continued")

    def signal_job(self, id_: str, name: str) -> "Job":
        """Send a signal (INT, SIGINT or 2) to the process group of a running job.

        Raises:
            UsageError: there is no such signal.
        """
        try:
            wanted = signal_of(name)
        except ValueError as error:
            raise UsageError(str(error)) from None
        return self._say(id_, "signal", {"signal": int(wanted)}, f"{wanted.name} sent")

    def send_to_job(self, id_: str, text: str, *, end: bool = False) -> "Job":
        """Give a running job, whose standard input was left open, something to read; `end`: nothing follows.

        Raises:
            UsageError: it is longer than `LONGEST` characters.
        """
        if len(text) > LONGEST:
            raise UsageError(f"that is longer than {LONGEST:,} characters: send it in parts")
        told = f"{len(text):,} character{'s' * (len(text) != 1)} sent" if text or not end else "end of its input sent"
        return self._say(id_, "send", {"send": text, "end": end}, told)

    def _say(self, id_: str, word: Word, speech: Speech, told: str) -> "Job":
        from jobdesk.ledger import speaking

        job = self.job(id_)
        if word not in self.registry.get(job.type).hears:
            raise Refused(f"jobs of type {job.type} hear no '{word}' while they run; `jobdesk jobs cancel` ends one")
        if word == "send" and not job.data.get("stdin_open"):
            raise Refused(f"job {job.id} reads nothing from people: it was not submitted with --stdin-open")
        with self.deed(f"{word}_job").part(undoable=False) as part:
            speaking.say(part.tx, job.id, speech, user(), told)
            part.say(after=told, jobs=[job.id])
        return job
