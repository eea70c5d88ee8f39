"""What each rule sees now, by subject."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from jobdesk.core.alert import NOTICE_TYPE, Measure, Reading, Rule, in_unit
from jobdesk.core.breaker import BreakerState
from jobdesk.core.clock import iso
from jobdesk.core.durations import short
from jobdesk.core.query import parse
from jobdesk.core.terms import Query, Term
from jobdesk.ledger import breakers, gauges, lying, search, waiting
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.disk import disk_of
from jobdesk.monitoring.folder_health import unusable

LATE_S = 60.0
"""How long after its time a schedule may come."""
USUAL_S = 600.0
"""How long the usual time of a type is remembered."""
UNTRIED_S = 300.0
"""How long after its pause a service counts as down that no job calls."""
MACHINE, JOBS = "machine", "jobs"


@dataclass(frozen=True, slots=True)
class Watch:
    """What the settings say: the rules, seconds between looks, folders whose disk is looked at, the drop folders."""

    rules: Sequence[Rule]
    look_s: float
    places: Sequence[Path]
    folders: Sequence[str]


class Measurer:
    """Reads values; it remembers only what is slow to read and slow to change."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._usual: dict[tuple[str, float], tuple[float, int, float]] = {}

    def read(self, rule: Rule, watch: Watch) -> list[Reading]:
        """Every subject of a rule with its value, whether it is beyond the threshold or not."""
        return _MEASURES[rule.measure](self, rule, watch)

    # ── queues ──

    def _failure_rate(self, rule: Rule, watch: Watch) -> list[Reading]:
        found = []
        for queue, completed, dead in self._ended(rule):
            ended = completed + dead
            if not ended or ended < rule.minimum:
                continue
            share, span = 100 * dead / ended, short(rule.window_s)
            whose = f"of the {_jobs(ended)} of queue {queue} that ended in the last {span}"
            found.append(Reading(queue, share, f"{in_unit(share, 'percent')} {whose} went to the dead letters", queue))
        return found

    def _dead_letters(self, rule: Rule, watch: Watch) -> list[Reading]:
        found = []
        since, ended = self._now - rule.window_s, self._ended(rule)
        there: dict[str, int] = {}
        if any(rule.breached(came) for _, _, came in ended):  # what was retried or purged since is settled
            there = lying.since(self._ledger, since // 60 * 60)
        for queue, _, came in ended:
            dead = min(came, there.get(queue, 0)) if rule.breached(came) else came
            said = f"{_jobs(dead)} of queue {queue} went to the dead letters in the last {short(rule.window_s)}"
            if rule.breached(dead):
                error = gauges.newest_error(self._ledger, queue, since)
                said += f"; the newest: {error}" if error else ""
            found.append(Reading(queue, dead, said, queue))
        return found

    def _ended(self, rule: Rule) -> list[tuple[str, int, int]]:
        ended = gauges.ended(self._ledger, self._now - rule.window_s, self._now)
        return [(queue, *ended[queue]) for queue in _fitting(rule, ended)]

    def _queue_depth(self, rule: Rule, watch: Watch) -> list[Reading]:
        depths = gauges.depths(self._ledger)
        return [
            Reading(queue, depths[queue], f"{_jobs(depths[queue])} of queue {queue} wait for a worker", queue)
            for queue in _fitting(rule, depths)
        ]

    def _lag(self, rule: Rule, watch: Watch) -> list[Reading]:
        since = gauges.waiting_since(self._ledger)
        found = []
        for queue in _fitting(rule, since):
            waited_s = max(0.0, self._now - since[queue])
            found.append(
                Reading(queue, waited_s, f"a job of queue {queue} has been ready for {short(waited_s)}", queue)
            )
        return found

    def _slow_job(self, rule: Rule, watch: Watch) -> list[Reading]:
        found, now = [], self._now
        for job in gauges.running(self._ledger, now):
            if not _fits(rule, job.queue):
                continue
            count, average_s = self._usual_of(job.type, rule)
            if not average_s or count < rule.minimum:
                continue
            took_s = now - job.started_at
            said = f"{job.type} has run for {short(took_s)}, {short(average_s)} is usual"
            found.append(Reading(job.id, took_s / average_s, said, job.queue, job.id))
        return found

    def _usual_of(self, type_: str, rule: Rule) -> tuple[int, float]:
        at, key = self._ledger.clock.monotonic(), (type_, rule.window_s)
        known = self._usual.get(key)
        if known is None or known[1] < rule.minimum or at - known[0] >= USUAL_S:
            known = self._usual[key] = (at, *gauges.usual(self._ledger, type_, self._now - rule.window_s))
        return known[1], known[2]

    # ── the machine ──

    def _memory(self, rule: Rule, watch: Watch) -> list[Reading]:
        import psutil

        used = psutil.virtual_memory().percent
        return [Reading(MACHINE, used, f"{in_unit(used, 'percent')} of the machine's memory is in use")]

    def _disk_free(self, rule: Rule, watch: Watch) -> list[Reading]:
        found: dict[int, Reading] = {}
        for place in watch.places:
            try:
                device = place.stat().st_dev
                disk = disk_of(place)
            except OSError:
                continue  # what is gone is the subject of others
            if device not in found:
                found[device] = Reading(str(place), disk.free, f"on the disk of {place} {disk}")
        return list(found.values())

    # ── what happened ──

    def _worker_lost(self, rule: Rule, watch: Watch) -> list[Reading]:
        told = gauges.signals(self._ledger, Measure.WORKER_LOST, self._now - rule.window_s)
        return [Reading(one.subject, one.n, f"{one.message}; its jobs go back to their queues") for one in told]

    def _schedule_missed(self, rule: Rule, watch: Watch) -> list[Reading]:
        told = gauges.signals(self._ledger, Measure.SCHEDULE_MISSED, self._now - rule.window_s)
        found = {one.subject: Reading(one.subject, one.n, f"schedule {one.subject}: {one.message}") for one in told}
        for name, at in gauges.overdue(self._ledger, self._now - LATE_S):
            found.setdefault(name, Reading(name, 1, f"schedule {name} was due at {iso(at)} and has not come"))
        return list(found.values())

    def _folder_unreadable(self, rule: Rule, watch: Watch) -> list[Reading]:
        modes, found = gauges.folder_modes(self._ledger), []
        for path in watch.folders:
            mode, message = modes.get(path, ("", None))
            usable = unusable(path, mode) is None
            why = message if mode == "offline" and message else "it is missing or may not be read and written"
            bad = mode == "offline" or not usable
            found.append(Reading(path, float(bad), f"the folder {path} cannot be used: {why}" if bad else ""))
        return found

    def _service_down(self, rule: Rule, watch: Watch) -> list[Reading]:
        return [
            Reading(one.service, one.opened, f"service {one.service} is down: {one.reason}")
            for one in breakers.every(self._ledger, self._now)
            if one.state is BreakerState.OPEN or (one.state is BreakerState.HALF_OPEN and self._is_on_trial(one))
        ]

    def _is_on_trial(self, half_open: breakers.Breaker) -> bool:
        """Whether an answer is to be expected; of a service that nobody calls, nobody knows how it is."""
        tried_since_s = self._now - (half_open.until or 0.0)
        return 0 <= tried_since_s < UNTRIED_S or waiting.is_wanted(self._ledger, half_open.service)

    def _query(self, rule: Rule, watch: Watch) -> list[Reading]:
        assert rule.query is not None
        wanted = parse(rule.query)
        count, exact = search.count(self._ledger, wanted)
        if count:  # a notice that fails must not lead to another
            count -= search.count(self._ledger, wanted & Query((Term((NOTICE_TYPE,), "type"),)))[0]
        least = "" if exact else "at least "
        return [Reading(JOBS, count, f"{least}{_jobs(count)} {'matches' if count == 1 else 'match'} {rule.query}")]

    @property
    def _now(self) -> float:
        return self._ledger.clock.now()


_MEASURES: Mapping[Measure, Callable[[Measurer, Rule, Watch], list[Reading]]] = {
    Measure.FAILURE_RATE: Measurer._failure_rate,
    Measure.QUEUE_DEPTH: Measurer._queue_depth,
    Measure.LAG: Measurer._lag,
    Measure.DEAD_LETTERS: Measurer._dead_letters,
    Measure.SLOW_JOB: Measurer._slow_job,
    Measure.MEMORY: Measurer._memory,
    Measure.DISK_FREE: Measurer._disk_free,
    Measure.WORKER_LOST: Measurer._worker_lost,
    Measure.SCHEDULE_MISSED: Measurer._schedule_missed,
    Measure.FOLDER_UNREADABLE: Measurer._folder_unreadable,
    Measure.SERVICE_DOWN: Measurer._service_down,
    Measure.QUERY: Measurer._query,
}


def worst(rule: Rule, readings: Iterable[Reading]) -> list[Reading]:
    """The worst first."""
    return sorted(readings, key=lambda one: one.value, reverse=rule.above is not None)


def _fits(rule: Rule, queue: str) -> bool:
    return any(fnmatchcase(queue, pattern) for pattern in rule.queues)


def _fitting(rule: Rule, queues: Iterable[str]) -> list[str]:
    return sorted(queue for queue in queues if _fits(rule, queue))


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
