"""What a desk does to keep its own house in order: backups, pruning, archives, checks of services, recounts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.errors import NotFound, UsageError
from jobdesk.core.job import DEAD, FINAL, State
from jobdesk.core.nearest import nearest

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.ledger.copies import Copied
    from jobdesk.ledger.probes import Probe
    from jobdesk.ledger.prune import Ended, Keep

Told = Callable[[int], None]
"""Is told how many jobs were dealt with since the last call; what it raises ends the work where it can go on."""


class Upkeeping:
    """The methods of `Desk` about its own upkeep; jobs of the built-in types call them."""

    def backup(self, file: str | Path) -> "Copied":
        """Copy the ledger to a file while jobs run; a former backup there is replaced once the new one is checked.

        Raises:
            UsageError: it is a folder, something else than a backup, or the ledger itself.
            LedgerError: the ledger is damaged.
            BackupError: the copy cannot be made.
        """
        from jobdesk.backup import backup

        desk, target = cast("Desk", self), Path(file)
        desk.must_change()
        copied = backup(desk.home, target, desk.clock)
        with desk.deed("backup", target=f"backup {target}").part(undoable=False) as part:
            part.say(after={"jobs": copied.jobs, "bytes": target.stat().st_size})
        return copied

    def prune(
        self,
        *,
        older_than: float | None = None,
        queue: str | None = None,
        dry_run: bool = False,
        told: Told = lambda _: None,
    ) -> dict[str, Any]:
        """Remove now what retention keeps no longer, as consumers do bit by bit; what expires by its TTL first.

        Args:
            older_than: seconds after their end, in place of `desk.retention`; a queue's `dead_letter_ttl` stays.
            queue: only jobs of this one.
            dry_run: change nothing, say what would be.

        Returns:
            `expired` and `removed` (numbers of jobs), `bytes`, and `queues`: by queue and state how many.

        Raises:
            NotFound: there is no such queue.
        """
        from jobdesk.ledger import overdue, prune, upkeep
        from jobdesk.ledger.prune import Ended

        desk = cast("Desk", self)
        desk.sync_queues()
        keep = prune.policies(desk.ledger, desk.config.desk.retention if older_than is None else older_than)
        keep = {name: keep[name] for name in _one_or_all(queue, keep)}
        expired = 0
        while not dry_run and upkeep.any_expired(desk.ledger, desk.clock.now()):
            with desk.ledger.write() as tx:
                expired += upkeep.expire(tx)
                tx.wakes = True
            told(0)
        remover, removed, bytes_ = prune.Remover(desk.ledger), Counter[tuple[str, str]](), 0
        for part in overdue.overdue(desk.ledger, keep, desk.clock.now(), removed=not dry_run):
            for doomed in _parts(part):
                bytes_ += overdue.weight(desk.ledger, doomed)
                left = list(doomed)
                while left and not dry_run:
                    remover.step(left, desk.actor.user)
                stayed = set[Ended]() if dry_run else overdue.there(desk.ledger, doomed)
                removed.update((one.queue, one.state) for one in doomed if one not in stayed)
                told(len(doomed))
        answer = {"expired": expired, "removed": removed.total(), "bytes": bytes_, "queues": _by_queue(removed)}
        if (expired or removed) and not dry_run:
            target = "ended jobs" if queue is None else f"queue {queue}"
            with desk.deed("prune", target=target).part(undoable=False) as deed:
                deed.say(after=answer)
        return answer

    def archive(
        self,
        *,
        older_than: float | None = None,
        states: Collection[str] = (State.COMPLETED, State.CANCELLED),
        queue: str | None = None,
        dry_run: bool = False,
        told: Told = lambda _: None,
    ) -> dict[str, Any]:
        """Move ended jobs with their history into files of JSON lines in the folder of `[archive]`.

        A job leaves the ledger once its file is on disk and was read back; what a killed call left is finished first.
        What a flow that goes on or failed may still need stays.

        Args:
            older_than: seconds after their end; None as `[archive]` says.
            states: final ones.
            queue: only jobs of this one.
            dry_run: change nothing, say what would be.

        Returns:
            `jobs` that left the ledger, `files` (path, jobs, removed, bytes), `bytes` of the files (of the jobs
            themselves for a dry run), and `queues`: by queue and state how many were found.

        Raises:
            UsageError: a state is not final.
            NotFound: there is no such queue.
            Refused: another process archives.
            BackupError: a file cannot be written or read.
        """
        from jobdesk.archive import archive
        from jobdesk.ledger import overdue
        from jobdesk.ledger.prune import Ended

        desk = cast("Desk", self)
        if wrong := [state for state in states if state not in FINAL]:
            raise UsageError(f"'{wrong[0]}' is no state of jobs that have ended: use {', '.join(sorted(FINAL))}")
        if not dry_run:
            desk.must_change()
        span_s = desk.config.archive.older_than if older_than is None else older_than
        found, bytes_ = Counter[tuple[str, str]](), 0
        names = _one_or_all(queue, {one.name for one in desk.queues()})

        def wanted() -> Iterator[Ended]:
            for part in overdue.overdue(desk.ledger, _keep(names, span_s, states), desk.clock.now()):
                for one in part:
                    if one.state in states:
                        found[one.queue, one.state] += 1
                        yield one

        if dry_run:
            for part in _parts(wanted()):
                bytes_ += overdue.weight(desk.ledger, part)
                told(len(part))
            return {"jobs": found.total(), "files": [], "bytes": bytes_, "queues": _by_queue(found)}
        folder, files = desk.home.path / desk.config.archive.path, list[dict[str, Any]]()
        for file in archive(desk.ledger, folder, desk.home.run / "archive.lock", wanted(), told):
            with desk.deed("archive", target=f"file {file.path}").part(undoable=False) as deed:
                deed.say(after={"jobs": file.jobs, "removed": file.removed, "bytes": file.bytes})
            files.append({"path": str(file.path), "jobs": file.jobs, "removed": file.removed, "bytes": file.bytes})
            bytes_ += file.bytes
        removed = sum(one["removed"] for one in files)
        return {"jobs": removed, "files": files, "bytes": bytes_, "queues": _by_queue(found)}

    def check_service(self, name: str, ask: Callable[[], tuple[bool, str]] | None = None) -> "Probe":
        """Ask a service now whether it is there, without token and headers, and let `health` know; its breaker stays.

        Args:
            ask: asks in another way than by HTTP, as the mail server has to be: whether it is there, and its words.

        Raises:
            NotFound: the settings do not name it.
            UsageError: it is the mail server, and `ask` is not given.
        """
        from jobdesk.core import env
        from jobdesk.ledger import probes
        from jobdesk.runtime.probing import probe

        desk = cast("Desk", self)
        own = desk.config.all_services.get(name)
        if own is None:
            raise NotFound(f"service {name} is not configured{nearest(name, list(desk.config.all_services))}")
        if ask is None and own.url.startswith("smtp:"):
            raise UsageError(f"service {name} is the mail server: test it with `jobdesk mail test`")
        began = desk.clock.monotonic()
        ok, message = ask() if ask is not None else probe(own.health_url or env.put_in(own.url), own.timeout)
        took_ms = round((desk.clock.monotonic() - began) * 1000, 1)
        with desk.ledger.write() as tx:
            return probes.asked(tx, name, ok, message, took_ms)

    def recount(self) -> dict[str, int]:
        """Hold every count against what is there, and correct it: by what was wrong, how many rows were."""
        from jobdesk.ledger import checks, folding, mending

        desk = cast("Desk", self)
        ledger = desk.ledger
        lost, minutes = checks.queues_without_a_row(ledger), checks.short_minutes(ledger)
        flows, waits = checks.wrong_flows(ledger), checks.wrong_waits(ledger)
        tallies, lanes = checks.wrong_tallies(ledger), checks.wrong_lanes(ledger)
        if lost:
            mending.make_queues(ledger, lost)
        while (tallies or lanes) and not mending.counts(ledger):
            continue  # another was at it: what it corrected is no longer wrong
        mending.minutes(ledger, minutes)
        mending.flows(ledger, flows)
        mending.waiting(ledger, [seq for seq, *_ in waits])
        while folding.fold(ledger, _FOLDED).more:
            continue
        wrong: dict[str, Sequence[object]] = {
            "counts": tallies,
            "lanes": lanes,
            "minutes": minutes,
            "flows": flows,
            "blocked": waits,
            "queues": lost,
        }
        return {what: len(rows) for what, rows in wrong.items()}

    def in_use(self, names: Collection[str]) -> set[str]:
        """Which of these names a job in flight needs: its id, or a word of its payload."""
        from jobdesk.ledger import archiving

        return archiving.mentioned(cast("Desk", self).ledger, names)

    def forget_logs(self, before: float, *, dry_run: bool = False) -> list[tuple[Path, int]]:
        """Remove former log files of the desk that were last written before an instant (epoch seconds); with sizes."""
        from jobdesk import logs

        return logs.forget(cast("Desk", self).home.logs, before, dry_run=dry_run)


_FOLDED = 10_000
"""Events of one step of the rollups."""
_TOGETHER = 1000
"""Jobs that are weighed and removed before somebody may stop it."""


def _one_or_all(queue: str | None, names: Collection[str]) -> Collection[str]:
    if queue is not None and queue not in names:
        raise NotFound(f"there is no queue {queue}{nearest(queue, list(names))}")
    return names if queue is None else [queue]


def _keep(names: Collection[str], span_s: float, states: Collection[str]) -> "dict[str, Keep]":
    from jobdesk.ledger.prune import Keep

    alive_s = span_s if set(states) - DEAD else None
    return {name: Keep(alive_s, span_s if set(states) & DEAD else None, None, None) for name in names}


def _parts(found: "Sequence[Ended] | Iterator[Ended]") -> "Iterator[list[Ended]]":
    part: list[Ended] = []
    for one in found:
        part.append(one)
        if len(part) == _TOGETHER:
            yield part
            part = []
    if part:
        yield part


def _by_queue(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    made: dict[str, dict[str, int]] = {}
    for (queue, state), n in sorted(counts.items()):
        made.setdefault(queue, {})[state] = n
    return made
