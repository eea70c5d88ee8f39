"""How ends of jobs get into the rollups: some thousands at a step, each a transaction of a few milliseconds.

Ends are read and added up before the transaction begins; in it they are added to what is there, if nobody else has
done so meanwhile. Each end goes into its minute, its hour and its day, so nothing has to be added up again when minutes
and hours are forgotten. Several consumers that fold do no harm to each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobdesk.core.job import DEAD
from jobdesk.ledger import endings
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.endings import NUMBERS, Ended, Totals
from jobdesk.ledger.spans import add_packed, pack
from jobdesk.ledger.step import Step

MINUTE, HOUR, DAY = 60, 3600, 86400
KEPT_S = {MINUTE: 3 * DAY, HOUR: 90 * DAY}
"""How long minutes and hours are kept, seconds; days are kept for ever."""
FORGOTTEN = 240
"""Minutes or hours that one step forgets."""
_KEEPS = HOUR
"""How much longer than said they are kept: a window that begins just there is whole."""
_TABLES = ("rollup", "rollup_error", "rollup_worker")
_Key = tuple[int, int, str, str]

_NAMES = ", ".join(NUMBERS)
_SUMS = ", ".join(f"{name} = {f'max({name}, excluded.{name})' if 'most' in name else f'{name} + excluded.{name}'}"
                  for name in NUMBERS)  # fmt: skip
_ADD = (
    f"INSERT INTO rollup (grain, at, queue, type, spans, {_NAMES}) VALUES (?, ?, ?, ?, ?{', ?' * len(NUMBERS)}) "
    f"ON CONFLICT DO UPDATE SET spans = excluded.spans, {_SUMS}"
)
_ADD_ERROR = "INSERT INTO rollup_error VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"
_ADD_WORKER = (
    "INSERT INTO rollup_worker VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
    "completed = completed + excluded.completed, failed = failed + excluded.failed, took_s = took_s + excluded.took_s"
)


@dataclass(slots=True)
class Sums:
    """What some ends come to, by grain, period, queue and type."""

    totals: dict[_Key, Totals] = field(default_factory=dict)
    errors: Counter[tuple[int, int, str, str, str]] = field(default_factory=Counter)
    workers: dict[tuple[int, int, str, str, str], list[float]] = field(default_factory=dict)

    def add(self, end: Ended, grain: int) -> None:
        key = grain, int(end.at // grain), end.queue, end.type
        if key not in self.totals:
            self.totals[key] = Totals()
        self.totals[key].add(end)
        if end.state in DEAD:
            self.errors[*key, end.error_type or end.state.value] += 1
        if end.ran and end.worker is not None and end.took_s is not None:
            worker = self.workers.setdefault((*key, end.worker), [0, 0, 0.0])
            worker[end.state in DEAD] += 1
            worker[2] += end.took_s

    def coarsen(self, grain: int, into: int) -> None:
        """Add all of one grain into a coarser one."""
        for (_, at, *rest), totals in [item for item in self.totals.items() if item[0][0] == grain]:
            queue, type_ = rest
            key = into, at * grain // into, queue, type_
            if key not in self.totals:
                self.totals[key] = Totals()
            self.totals[key].merge(totals)
        for (_, at, *names), n in [item for item in self.errors.items() if item[0][0] == grain]:
            queue, type_, error = names
            self.errors[into, at * grain // into, queue, type_, error] += n
        for (_, at, *names), numbers in [item for item in self.workers.items() if item[0][0] == grain]:
            queue, type_, name = names
            worker = self.workers.setdefault((into, at * grain // into, queue, type_, name), [0, 0, 0.0])
            worker[:] = map(sum, zip(worker, numbers, strict=True))


def fold(ledger: Ledger, most: int) -> Step:
    """Add the ends that the next events tell of, at most `most` of these."""
    with ledger.reading():
        mark = endings.mark(ledger)
        last = endings.last_of(ledger, mark, most)
        ends = list(endings.beyond(ledger, mark, last))
    if last == mark:
        return Step(False)
    sums = Sums()
    for end in ends:
        sums.add(end, MINUTE)
    sums.coarsen(MINUTE, HOUR)
    sums.coarsen(HOUR, DAY)
    clock = ledger.clock
    with ledger.write() as tx:
        began = clock.monotonic()
        if tx.row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (endings.MARK_KEY,)) != (mark,):
            return Step(True)  # somebody else has just folded them
        _write(tx, sums)
        tx.run("DELETE FROM unfolded WHERE event <= ?", (last,))
        tx.run("UPDATE meta SET value = ? WHERE key = ?", (last, endings.MARK_KEY))
        if ends:
            tx.run(
                "INSERT INTO meta VALUES ('rollup_began', ?1) "
                "ON CONFLICT DO UPDATE SET value = min(CAST(value AS REAL), ?1)",
                (min(end.created_at for end in ends),),
            )
    return Step(True, clock.monotonic() - began)


def forget(ledger: Ledger, now: float) -> Step:
    """Remove some of the minutes and hours that are past their time; their hours and days have them."""
    for grain, kept_s in KEPT_S.items():
        before = int((now - kept_s - _KEEPS) // grain)
        row = ledger.row("SELECT min(at) FROM rollup WHERE grain = ?", (grain,))
        if row is None or row[0] is None or row[0] >= before:
            continue
        clock = ledger.clock
        with ledger.write() as tx:
            began = clock.monotonic()
            for table in _TABLES:
                tx.run(f"DELETE FROM {table} WHERE grain = ? AND at < ?", (grain, min(before, row[0] + FORGOTTEN)))
        return Step(True, clock.monotonic() - began)
    return Step(False)


def _write(tx: Tx, sums: Sums) -> None:
    rows: list[Sequence[object]] = []
    for key, totals in sums.totals.items():
        numbers = [getattr(totals, name) for name in NUMBERS]
        before = tx.row("SELECT spans FROM rollup WHERE grain = ? AND at = ? AND queue = ? AND type = ?", key)
        if before is not None:
            add_packed(totals.spans, before[0])
        rows.append((*key, pack(totals.spans), *numbers))
    tx.many(_ADD, rows)
    tx.many(_ADD_ERROR, [(*key, n) for key, n in sums.errors.items()])
    tx.many(_ADD_WORKER, [(*key, *numbers) for key, numbers in sums.workers.items()])
