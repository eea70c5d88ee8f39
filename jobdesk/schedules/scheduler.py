"""The service that makes jobs when their times come."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from jobdesk.core.clock import Clock
from jobdesk.core.durations import short
from jobdesk.core.errors import JobdeskError, LedgerError
from jobdesk.core.job import NewJob
from jobdesk.core.schedule import Missed, Origin, Overlap, Reason, Schedule
from jobdesk.core.service import Service
from jobdesk.core.submission import Submission
from jobdesk.ledger import schedules as table
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.schedules import catalog, times

LATE_S = 60.0
"""A time found later than this counts as missed."""
CAUGHT_UP = 100
"""Missed times that `all` makes up for: the latest."""
COUNTED = 1000
"""Missed times that are counted; a schedule of every minute misses so many in 17 hours."""
LOOK_S = 10.0
"""The longest sleep: a machine that was suspended, or whose clock was set, is noticed within this."""
STEPPED_BACK_S = 86_400.0
"""A clock this far behind what has been dealt with was wrong before; less is waited out, so that nothing runs twice."""


class Scheduler(Service):
    """Sleeps until the next time of any schedule; every consumer has one, and each time makes its job once."""

    name = "scheduler"
    rest_s = 0.05

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        prepare: Callable[[Submission], NewJob],
        store: Callable[[Tx, Sequence[NewJob]], list[str]],
    ) -> None:
        """Args:
        prepare: checks a submission and fills it in.
        store: stores jobs in a transaction that is open.
        """
        super().__init__(clock)
        self._ledger = ledger
        self._prepare = prepare
        self._store = store
        self._refreshed = False

    def run_once(self) -> float | None:
        next_at, done_until = table.horizon(self._ledger)
        now = self.clock.now()
        if not self._refreshed or (done_until is not None and done_until > now + STEPPED_BACK_S):
            catalog.refresh(self._ledger, STEPPED_BACK_S)
            self._refreshed = True
            next_at, _ = table.horizon(self._ledger)
        if next_at is None:
            return LOOK_S
        if next_at > now:
            return min(LOOK_S, next_at - now)
        for name in table.due(self._ledger, now):
            self._deal_with(name)
        return 0.0

    def _deal_with(self, name: str) -> None:
        """Make the jobs of one schedule that is due; its trouble is its own."""
        try:
            with self._ledger.write() as tx:
                found = table.find(tx, name)
                if found is not None and found.paused_at is None and _is_due(found, tx.now):
                    self._fire(tx, found)
        except LedgerError:
            raise
        except Exception as error:  # whatever is wrong with this one, the others go on
            logging.getLogger("jobdesk").exception("schedule %s cannot go on", name)
            with self._ledger.write() as tx:
                table.stuck(tx, name, str(error) or type(error).__name__)

    def _fire(self, tx: Tx, found: Schedule) -> None:
        name, spec = found.name, found.spec
        came = [at for at in _came(found, tx.now) if not table.taken(tx, name, at)]
        table.advance(tx, name, tx.now, catalog.next_of(spec, tx.now))
        late = [at for at in came if tx.now - at > LATE_S]
        wanted = _wanted(spec.missed, late, came[len(late) :])
        if late:
            table.missed(tx, name, late, Reason.DOWNTIME, _said(late, wanted), run=[at for at in wanted if at in late])
        held: list[float] = []
        for place, at in enumerate(wanted):
            if spec.overlap is Overlap.SKIP and (running := table.in_flight(tx, name)) is not None:
                held, why, reason = wanted[place:], f"job {running} had not ended", Reason.OVERLAP
                break
            problem = self._make(tx, found, at)
            if problem is not None:
                held, why, reason = wanted[place:], problem, Reason.PROBLEM
                break
        if held:
            table.missed(tx, name, held, reason, why)

    def _make(self, tx: Tx, found: Schedule, at: float) -> str | None:
        """Make the job of one time; None, or why there is none."""
        try:
            job = replace(job_of(found, self._prepare), run_at=tx.now)  # checked a moment after the transaction began
        except LedgerError:
            raise
        except JobdeskError as error:
            return str(error)
        except Exception as error:  # a processor's own check of its data may raise anything
            return f"{found.spec.type} cannot take its data: {type(error).__name__}: {error}"
        tx.run("SAVEPOINT schedule")
        try:
            (id_,) = self._store(tx, [job])
        except LedgerError:
            raise
        except JobdeskError as error:  # a full queue
            tx.run("ROLLBACK TO schedule")
            return str(error)
        table.fired(tx, found.name, id_, at)
        return None


def job_of(found: Schedule, prepare: Callable[[Submission], NewJob]) -> NewJob:
    """The job that a schedule makes, checked.

    Raises:
        UsageError: its type is unknown, or its data does not fit.
    """
    spec = found.spec
    made = prepare(
        Submission(
            type=spec.type,
            data=spec.data,
            queue=spec.queue,
            priority=spec.priority,
            user=found.user,
            source=spec.source,
            from_settings=found.origin is Origin.SETTINGS,
        )
    )
    return replace(made, schedule=spec.name)


def _is_due(found: Schedule, now: float) -> bool:
    return found.next_at is not None and found.next_at <= now


def _came(found: Schedule, now: float) -> list[float]:
    """The times that have come since it was last looked at, in order."""
    spec = found.spec
    if spec.cron is None:
        return [] if spec.at is None else [spec.at]
    return times.between(spec.cron, times.zone(spec.timezone), found.cursor_at, now, COUNTED)


def _wanted(policy: Missed, late: list[float], in_time: list[float]) -> list[float]:
    """The times that make a job now."""
    if policy is Missed.ALL:
        return [*late[-CAUGHT_UP:], *in_time]
    if policy is Missed.ONCE and late and not in_time:
        return late[-1:]
    return in_time


def _said(late: list[float], wanted: list[float]) -> str:
    count = f"{'at least ' if len(late) >= COUNTED else ''}{len(late)}"
    runs = sum(at in late for at in wanted)
    span = f"within {short(late[-1] - late[0])}, " if len(late) > 1 else ""
    what = "none of them runs" if not runs else "it runs now" if len(late) == 1 else f"{runs} of them runs now"
    return f"{count} time{'s' * (len(late) > 1)} passed while nobody worked, {span}{what}"
