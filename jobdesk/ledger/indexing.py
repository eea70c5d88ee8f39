"""How the index of words follows the jobs: a step at a time, each a transaction of a few milliseconds.

Rows are read and cut into words before the transaction begins; in it they are read again, and what has
changed in between is cut anew. Several indexers of one home do no harm to each other.
"""

from dataclasses import dataclass

from jobdesk.ledger.database import Ledger, Row, Tx
from jobdesk.ledger.fulltext import COLUMNS, MARK, entry

LETTERS = 100_000
"""Letters of payload and error that one step indexes, unless a single job has more."""

_LETTERS = "length({0}.data) + coalesce(length({0}.error_traceback), 0)"
_SIZES_NEW = f"SELECT seq, {_LETTERS.format('job')} FROM job WHERE seq > {MARK} ORDER BY seq LIMIT ?"
_SIZES_OUTDATED = (
    f"SELECT o.seq, {_LETTERS.format('o')} + ifnull({_LETTERS.format('j')}, 0) "
    "FROM outdated o LEFT JOIN job j ON j.seq = o.seq ORDER BY o.seq LIMIT ?"
)
_NEW = f"SELECT seq, {COLUMNS} FROM job WHERE seq > {MARK} AND seq <= ? ORDER BY seq LIMIT ?"
_OUTDATED = (
    f"SELECT o.seq, {', '.join('o.' + name for name in COLUMNS.split(', '))}, "
    f"{', '.join('j.' + name for name in COLUMNS.split(', '))} "
    f"FROM outdated o LEFT JOIN job j ON j.seq = o.seq AND j.seq <= {MARK} WHERE o.seq <= ? ORDER BY o.seq LIMIT ?"
)
_WIDTH = 1 + len(COLUMNS.split(", "))


def is_behind(ledger: Ledger) -> bool:
    """Whether there is a job that the index does not hold, or holds wrongly."""
    return ledger.row(f"SELECT 1 FROM outdated UNION ALL SELECT 1 FROM job WHERE seq > {MARK} LIMIT 1") is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: whether there may be more to do, and how long (seconds) nobody else could write."""

    more: bool
    held_s: float = 0.0


def refresh(ledger: Ledger, most: int) -> Step:
    """Bring the index up to date with at most `most` jobs that have changed or gone."""
    rows = _batch(ledger, _SIZES_OUTDATED, _OUTDATED, most)
    if not rows:
        return Step(False)
    made = {row: _both(row) for row in rows}
    with _Timed(ledger) as held, ledger.write() as tx:
        held.begin()
        rows = tx.rows(_OUTDATED, (rows[-1][0], most))
        for row in rows:
            then, now = made.get(row) or _both(row)
            tx.run("INSERT INTO fulltext (fulltext, rowid, words) VALUES ('delete', ?, ?)", (row[0], then))
            if now is not None:
                tx.run("INSERT INTO fulltext (rowid, words) VALUES (?, ?)", (row[0], now))
        tx.many("DELETE FROM outdated WHERE seq = ?", [(row[0],) for row in rows])
    return Step(True, held.seconds)


def extend(ledger: Ledger, most: int) -> Step:
    """Index the next jobs above the mark, at most `most`."""
    rows = _batch(ledger, _SIZES_NEW, _NEW, most)
    if not rows:
        return Step(False)
    made = {row: entry(*row[1:]) for row in rows}
    with _Timed(ledger) as held, ledger.write() as tx:
        held.begin()
        if tx.row(f"SELECT 1 FROM outdated WHERE seq > {MARK} LIMIT 1"):
            return Step(True)  # the index still holds what had these seqs before: `refresh` comes first
        rows = tx.rows(_NEW, (rows[-1][0], most))
        tx.many(
            "INSERT INTO fulltext (rowid, words) VALUES (?, ?)",
            [(row[0], made.get(row) or entry(*row[1:])) for row in rows],
        )
        if rows:
            tx.run("UPDATE meta SET value = ? WHERE key = 'fulltext'", (rows[-1][0],))
    return Step(True, held.seconds)


def merge(ledger: Ledger, pages: int) -> Step:
    """Merge some pages of the index, so that a search has few places to look at."""
    with _Timed(ledger) as held, ledger.write() as tx:
        held.begin()
        before = _changes(tx)
        tx.run("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (pages,))
        more = _changes(tx) - before >= 2  # as the documentation of FTS5 says
    return Step(more, held.seconds)


def reset(tx: Tx) -> None:
    """Empty the index: it is built anew from the first job on."""
    tx.run("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
    tx.run("DELETE FROM outdated")
    tx.run("UPDATE meta SET value = '0' WHERE key = 'fulltext'")


def _batch(ledger: Ledger, sizes: str, rows: str, most: int) -> list[Row]:
    """The next rows, as many as `LETTERS` allows but at least one."""
    last, room = None, LETTERS
    for seq, letters in ledger.rows(sizes, (most,)):
        room -= letters
        if last is not None and room < 0:
            break
        last = seq
    return [] if last is None else ledger.rows(rows, (last, most))


def _both(row: Row) -> tuple[str, str | None]:
    """What the index holds, and what it should hold (None: nothing, the job is gone or above the mark)."""
    return entry(*row[1:_WIDTH]), None if row[_WIDTH] is None else entry(*row[_WIDTH:])


class _Timed:
    """How long a write transaction lasted, its commit included; waiting for it to begin does not count."""

    def __init__(self, ledger: Ledger) -> None:
        self._clock = ledger.clock
        self._began = 0.0
        self.seconds = 0.0

    def __enter__(self) -> "_Timed":
        return self

    def begin(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds = self._clock.monotonic() - self._began


def _changes(tx: Tx) -> int:
    row = tx.row("SELECT total_changes()")
    assert row is not None
    return int(row[0])
