"""How ends of jobs get into the rollups: some thousands at a step, each a transaction of a few milliseconds.

Ends are read and added up, with what is there already, before the transaction begins; in it that is written, if nobody
else has folded meanwhile. Each end goes into its minute, its hour and its day, so nothing has to be added up again when
minutes and hours are forgotten. Several consumers that fold do no harm to each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobdesk.ledger import endings
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.spans import add_packed, pack
from jobdesk.ledger.step import Step
from jobdesk.ledger.totals import DAY, HOUR, MINUTE, NUMBERS, Sums

KEPT_S = {MINUTE: 3 * DAY, HOUR: 90 * DAY}
"""How long minutes and hours are kept, seconds; days are kept for ever."""
FORGOTTEN = 240
"""Minutes or hours that one step forgets."""
_KEEPS = HOUR
"""How much longer than said they are kept: a window that begins just there is whole."""
_TABLES = ("rollup", "rollup_error", "rollup_worker")

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
    "completed = completed + excluded.completed, failed = failed + excluded.failed, spans = excluded.spans"
)
_OF = "WHERE grain = ? AND at = ? AND queue = ? AND type = ?"


@dataclass(frozen=True, slots=True)
class Rows:
    """What is to be written: numbers that are added, and spans that replace what was there."""

    totals: Sequence[Sequence[object]]
    errors: Sequence[Sequence[object]]
    workers: Sequence[Sequence[object]]


def fold(ledger: Ledger, most: int) -> Step:
    """Add the ends that the next events tell of, at most `most` of these."""
    with ledger.reading():
        mark = endings.mark(ledger)
        last = endings.last_of(ledger, mark, most)
        if last == mark:
            return Step(False)
        more = endings.last_of(ledger, last, 1) > last
        sums, first = endings.gather(ledger, mark, last)
        sums.coarsen(MINUTE, HOUR)
        sums.coarsen(HOUR, DAY)
        rows = rows_of(ledger, sums)
    clock = ledger.clock
    with ledger.write(durable=False) as tx:
        began = clock.monotonic()
        if tx.row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (endings.MARK_KEY,)) != (mark,):
            return Step(True)  # somebody else has just folded them
        write(tx, rows)
        tx.run("DELETE FROM unfolded WHERE event <= ?", (last,))
        tx.run("UPDATE meta SET value = ? WHERE key = ?", (last, endings.MARK_KEY))
        if first is not None:
            tx.run(
                "INSERT INTO meta VALUES ('rollup_began', ?1) "
                "ON CONFLICT DO UPDATE SET value = min(CAST(value AS REAL), ?1)",
                (first,),
            )
    return Step(more, clock.monotonic() - began)


def forget(ledger: Ledger, now: float) -> Step:
    """Remove some of the minutes and hours that are past their time; their hours and days have them."""
    for grain, kept_s in KEPT_S.items():
        before = int((now - kept_s - _KEEPS) // grain)
        row = ledger.row("SELECT min(at) FROM rollup WHERE grain = ?", (grain,))
        if row is None or row[0] is None or row[0] >= before:
            continue
        clock = ledger.clock
        with ledger.write(durable=False) as tx:
            began = clock.monotonic()
            for table in _TABLES:
                tx.run(f"DELETE FROM {table} WHERE grain = ? AND at < ?", (grain, min(before, row[0] + FORGOTTEN)))
        return Step(True, clock.monotonic() - began)
    return Step(False)


def rows_of(ledger: Ledger, sums: Sums) -> Rows:
    """The rows of some sums, their spans with those that are there."""
    totals: list[Sequence[object]] = []
    workers: list[Sequence[object]] = []
    for key, one in sums.totals.items():
        if before := ledger.row(f"SELECT spans FROM rollup {_OF}", key):
            add_packed(one.spans, before[0])
        totals.append((*key, pack(one.spans), *(getattr(one, name) for name in NUMBERS)))
    for named, worked in sums.workers.items():
        if before := ledger.row(f"SELECT spans FROM rollup_worker {_OF} AND worker = ?", named):
            add_packed(worked.spans, before[0])
        workers.append((*named, worked.completed, worked.failed, pack(worked.spans)))
    return Rows(totals, [(*key, n) for key, n in sums.errors.items()], workers)


def write(tx: Tx, rows: Rows) -> None:
    tx.many(_ADD, rows.totals)
    tx.many(_ADD_ERROR, rows.errors)
    tx.many(_ADD_WORKER, rows.workers)
