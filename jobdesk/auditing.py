"""What a desk remembers of what people did to it, and how that is taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jobdesk.core.actor import Actor
from jobdesk.core.errors import NotFound, ReadOnly, Refused
from jobdesk.core.who import acted_for
from jobdesk.home import Home
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.read_only import REFUSED

if TYPE_CHECKING:
    from jobdesk.ledger.audit import Deed
    from jobdesk.ledger.audit_reads import Entry


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did.

    Args:
        entry: the action that was taken back.
        id: the number of the undo itself.
        jobs: how many jobs are as they were before.
        refused: by job (or the name of what it was) why it could not be put back.
    """

    entry: "Entry"
    id: int
    jobs: int
    refused: Mapping[str, str] = field(default_factory=dict)


class Auditing:
    """The methods of `Desk` about the audit log; no object of its own."""

    ledger: Ledger
    actor: Actor
    home: Home
    read_only: bool

    if TYPE_CHECKING:

        def declared(self, name: str) -> Collection[str]: ...

    def must_change(self) -> None:
        """See that something may be changed, before a file is.

        Raises:
            ReadOnly: the desk only looks.
        """
        if self.read_only:
            raise ReadOnly(REFUSED)

    def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> "Deed":
        """An action to be logged: what its `part()`s change is told, and may be undone where that is possible."""
        from jobdesk.ledger.audit import Deed

        actor = replace(self.actor, user=acted_for() or self.actor.user)
        return Deed(self.ledger, actor, action, target=target, query=query)

    def audit(
        self,
        *,
        since: float | None = None,
        user: str | None = None,
        action: str | None = None,
        job: str | None = None,
        limit: int = 100,
    ) -> "list[Entry]":
        """What people did, the newest first.

        Args:
            since: epoch seconds.
            job: the full id of one that it was done to; the job may be deleted by now.
        """
        from itertools import islice

        from jobdesk.ledger import audit_reads

        found = audit_reads.entries(self.ledger, since=since, user=user, action=action, job=job)
        return list(islice(found, limit))

    def undoable(self, limit: int = 20) -> "list[Entry]":
        """What may be undone now, the newest first."""
        from itertools import islice

        from jobdesk.ledger import audit_reads

        return list(islice(audit_reads.entries(self.ledger, undoable=True), limit))

    def undo(self, id_: int | None = None, *, own: bool = False) -> Undone:
        """Take an action back; None: the last one of this user that can be, and is no undo itself.

        What of it cannot be put back any more stays as it is, and is named. An undo is an action too: it is in the log,
        and may be undone by its number.

        Args:
            own: of the actions of this very process only, by the way that it acts.

        Raises:
            NotFound: there is no such action, or none to undo.
            Refused: none of it can be put back.
        """
        from jobdesk.folders.finish import bring_back
        from jobdesk.ledger import audit, undoing

        entry = self._to_undo(id_, own)
        deed = audit.Deed(self.ledger, self.actor, "undo", target=entry.target, undoes=entry.id)
        refused: dict[str, str] = {}
        count, done = 0, False
        for number in audit.parts_kept(self.ledger, entry.id):
            with deed.part() as part:
                left: list[audit.Group] = []
                for group in reversed(audit.kept(part.tx, entry.id, number)):
                    try:
                        with part.job(*group.jobs):
                            back = undoing.put_back(part.tx, group, self.actor.user)
                    except Refused as error:
                        left.insert(0, group)
                        refused[group.jobs[0] if group.jobs else entry.target or ""] = str(error)
                    else:
                        done, count = True, count + len(group.jobs)
                        for job in back:
                            bring_back(part.tx, job)
                audit.keep(part.tx, entry.id, number, left, since=entry.at)
        if not done or deed.id is None:
            why = next(iter(refused.values()), "nothing of it is left to undo")
            raise Refused(f"#{entry.id} ({entry.action} {entry.what}) cannot be undone: {why}")
        return Undone(entry, deed.id, count, refused)

    def note_settings(self) -> None:
        """Log what was changed in jobdesk.toml since any process last read it; by whom is the owner of the file."""
        from jobdesk.ledger import audit, settings_seen
        from jobdesk.sealing import masked

        found = settings_seen.read(self.home.settings, lambda said: masked(said, self.declared))
        if found is None or settings_seen.known(self.ledger) == found.settings:
            return
        actor = Actor(found.owner, "file", None, None, 0, self.actor.host)
        deed = audit.Deed(self.ledger, actor, "change", target=f"settings {self.home.settings}")
        with deed.part(undoable=False) as part:
            before = settings_seen.known(part.tx)
            settings_seen.remember(part.tx, found.settings)
            if before is not None and before != found.settings:  # the first look is no change
                was, now = settings_seen.difference(before, found.settings)
                part.say(before=was, after=now)

    def _to_undo(self, id_: int | None, own: bool) -> "Entry":
        from jobdesk.ledger import audit_reads

        if id_ is None:
            mine = audit_reads.entries(self.ledger, undoable=True, user=self.actor.user)
            me = self.actor
            found = next((one for one in mine if one.undoes is None and (not own or one.is_of(me))), None)
            if found is None and own:
                raise NotFound("nothing that was done here can be undone: see `jobdesk audit`")
            if found is None:
                raise NotFound("there is nothing of yours to undo: see `jobdesk undo --list` and `jobdesk audit`")
            return found
        found = next(audit_reads.entries(self.ledger, id_=id_), None)
        if found is None:
            raise NotFound(f"there is no action #{id_}: see `jobdesk audit`")
        if not found.undoable:
            why = "it cannot be taken back, or was more than a day ago"
            if found.undone_by is not None:
                why = f"#{found.undone_by} undid it already"
            raise Refused(f"#{id_} ({found.action} {found.what}) cannot be undone: {why}")
        return found
