"""The schedules of a home, kept: checked, written, brought in line with the settings, paused and resumed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobdesk.core.errors import Refused, UsageError
from jobdesk.core.schedule import Origin, Reason, Schedule, ScheduleSpec
from jobdesk.ledger import schedules as table
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.schedules import times

PASSED = "its time lay in the past already when it was first seen"


def checked(spec: ScheduleSpec) -> ScheduleSpec:
    """The same, tidied up.

    Raises:
        UsageError: its name, expression, timezone or choice of times is wrong.
    """
    if not spec.name.strip() or not spec.name.isprintable():
        raise UsageError(f"'{spec.name}' is not a name for a schedule: write something like nightly-report")
    if (spec.cron is None) == (spec.at is None):
        raise UsageError(f"schedule {spec.name} takes either a cron expression or one time: give one of the two")
    try:
        times.zone(spec.timezone)
        return spec if spec.cron is None else replace(spec, cron=times.check_cron(spec.cron))
    except ValueError as error:
        raise UsageError(f"schedule {spec.name}: {error}") from None


def upcoming(spec: ScheduleSpec, since: float) -> Iterator[float]:
    """The times of a schedule later than `since`, in order.

    Raises:
        ValueError: its expression or timezone is not known any more.
    """
    if spec.cron is not None:
        yield from times.after(spec.cron, times.zone(spec.timezone), since)
    elif spec.at is not None and spec.at > since:
        yield spec.at


def next_of(spec: ScheduleSpec, since: float) -> float | None:
    """The first time later than `since`; None if none comes."""
    return next(upcoming(spec, since), None)


def add(tx: Tx, spec: ScheduleSpec, user: str, *, change: bool) -> None:
    """Write a schedule that a person or program asked for.

    Args:
        change: it may take the place of one that was added before.

    Raises:
        UsageError: it is wrong, or its one time has passed.
        Refused: the name is taken, or belongs to the settings.
    """
    spec = checked(spec)
    old = table.find(tx, spec.name)
    if old is not None and old.origin is Origin.SETTINGS:
        raise Refused(f"schedule {spec.name} stands in jobdesk.toml: change it there, or choose another name")
    if old is not None and old.origin is Origin.PLUGIN:
        raise Refused(f"schedule {spec.name} comes with its processor: choose another name, or pause it")
    if old is not None and not change:
        raise Refused(f"there is a schedule {spec.name} already: remove it first, or say --replace")
    if spec.at is not None and spec.at <= tx.now:
        raise UsageError(f"schedule {spec.name}: its time has passed; give one that lies ahead")
    table.define(tx, spec, Origin.ADDED, user, tx.now, next_of(spec, tx.now))


def remove(tx: Tx, name: str) -> None:
    """Forget a schedule that was added.

    Raises:
        NotFound: there is none.
        Refused: it belongs to the settings or to a processor.
    """
    origin = table.get(tx, name).origin
    if origin is Origin.SETTINGS:
        raise Refused(f"schedule {name} stands in jobdesk.toml: take it out there, or pause it")
    if origin is Origin.PLUGIN:
        raise Refused(f"schedule {name} comes with its processor: pause it, or take it out there")
    table.remove(tx, name)


def sync(ledger: Ledger, specs: Sequence[ScheduleSpec], origin: Origin = Origin.SETTINGS) -> None:
    """Make the table say what the settings, or the processors, say. Pauses stay. Writes only a difference.

    Settings win for their names; processors leave to others what these have.
    """
    known = {found.name: found for found in table.every(ledger)}
    if origin is Origin.PLUGIN:
        specs = [spec for spec in specs if spec.name not in known or known[spec.name].origin is origin]
    changed = [spec for spec in specs if _differs(known.get(spec.name), spec, origin)]
    gone = {one.name for one in known.values() if one.origin is origin} - {spec.name for spec in specs}
    if not changed and not gone:
        return
    with ledger.write() as tx:
        table.remove_others(tx, origin, [spec.name for spec in specs])
        for spec in changed:
            _take_over(tx, table.find(tx, spec.name), spec, origin)
        tx.wakes = True


def _differs(old: Schedule | None, spec: ScheduleSpec, origin: Origin) -> bool:
    return old is None or old.origin is not origin or old.spec != spec


def _take_over(tx: Tx, old: Schedule | None, spec: ScheduleSpec, origin: Origin) -> None:
    """Write a definition; where its times are what they were, those that are due stay due."""
    same = old is not None and (old.spec.cron, old.spec.at, old.spec.timezone) == (spec.cron, spec.at, spec.timezone)
    cursor_at = old.cursor_at if old is not None and same else tx.now
    table.define(tx, spec, origin, None, cursor_at, next_of(spec, cursor_at))
    if not same and spec.at is not None and spec.at <= tx.now and not table.taken(tx, spec.name, spec.at):
        table.missed(tx, spec.name, [spec.at], Reason.PASSED, PASSED)


def resume(tx: Tx, name: str) -> bool:
    """Make jobs again. What passed during the pause was meant to: it is not made up for. False: it was not paused.

    Raises:
        NotFound: there is none.
    """
    found = table.get(tx, name)
    try:
        next_at = next_of(found.spec, tx.now)
    except ValueError as error:
        raise UsageError(f"schedule {name}: {error}") from None
    done = found.paused_at is not None and table.resume(tx, name, tx.now, next_at)
    at = found.spec.at
    if done and at is not None and found.cursor_at < at <= tx.now and not table.taken(tx, name, at):
        table.missed(tx, name, [at], Reason.PAUSED, f"it was paused by {found.paused_by} then")
    return done


def pause(tx: Tx, name: str, who: str) -> bool:
    """Make no more jobs by themselves. False: it was paused already.

    Raises:
        NotFound: there is none.
    """
    table.get(tx, name)
    return table.pause(tx, name, who)


def refresh(ledger: Ledger, behind_s: float) -> None:
    """Work out every next time anew, as the timezones of this machine have it now. Writes only a difference.

    Args:
        behind_s: a schedule dealt with until later than this after now was so by a clock that was wrong: it starts
            over from now.
    """
    for found in table.every(ledger):
        cursor_at = found.cursor_at
        if cursor_at > ledger.clock.now() + behind_s:
            cursor_at = ledger.clock.now()
        try:
            next_at = next_of(found.spec, cursor_at)
            problem = None
        except ValueError as error:
            next_at, problem = None, str(error)
        if (cursor_at, next_at) == (found.cursor_at, found.next_at):
            continue
        with ledger.write() as tx:
            now = table.find(tx, found.name)
            if now is None or (now.changed_at, now.cursor_at) != (found.changed_at, found.cursor_at):
                continue
            if problem is not None:
                table.stuck(tx, found.name, problem)
            else:
                table.advance(tx, found.name, cursor_at, next_at)
