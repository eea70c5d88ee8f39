"""How the index of words follows the jobs: a step at a time, each a transaction of a few milliseconds.

Rows are read and cut into words before the transaction begins; in it they are read again, and what has
changed in between is cut anew. Several indexers of one home do no harm to each other.
"""

from dataclasses import dataclass

from jobdesk.ledger.database import Ledger, Row, Tx
from jobdesk.ledger.fulltext import COLUMNS, MARK, entry

LETTERS = 100_000
"""Letters of payload and error that one step indexes, unless a single job has more."""
PAGES = 16
"""Pages that one merge writes."""

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
    "FROM outdated o LEFT JOIN job j ON j.seq = o.seq WHERE o.seq <= ? ORDER BY o.seq LIMIT ?"
)
_WIDTH = 1 + len(COLUMNS.split(", "))


@dataclass(frozen=True, slots=True)
class Behind:
    """How far the index is behind: jobs that it does not hold, and jobs that have changed or gone."""

    new: int
    outdated: int


def behind(ledger: Ledger, limit: int = 1_000_000_000) -> Behind:
    """How far the index is behind; `limit` is how far either is counted."""
    row = ledger.row(
        f"SELECT (SELECT count(*) FROM (SELECT 1 FROM job WHERE seq > {MARK} LIMIT ?1)), "
        "(SELECT count(*) FROM (SELECT 1 FROM outdated LIMIT ?1))",
        (limit,),
    )
    assert row is not None
    return Behind(*row)


def refresh(ledger: Ledger, most: int) -> int:
    """Bring the index up to date with at most `most` jobs that have changed or gone; how many it were."""
    rows = _batch(ledger, _SIZES_OUTDATED, _OUTDATED, most)
    if not rows:
        return 0
    made = {row: _both(row) for row in rows}
    with ledger.write() as tx:
        rows = tx.rows(_OUTDATED, (rows[-1][0], most))
        for row in rows:
            then, now = made.get(row) or _both(row)
            tx.run("INSERT INTO fulltext (fulltext, rowid, words) VALUES ('delete', ?, ?)", (row[0], then))
            if now is not None:
                tx.run("INSERT INTO fulltext (rowid, words) VALUES (?, ?)", (row[0], now))
        tx.many("DELETE FROM outdated WHERE seq = ?", [(row[0],) for row in rows])
        # a seq above all jobs is given out again: its new job must not count as indexed
        tx.run(
            f"UPDATE meta SET value = min({MARK}, (SELECT ifnull(max(seq), 0) FROM job)) "
            "WHERE key = 'fulltext' AND NOT EXISTS (SELECT 1 FROM outdated)"
        )
    return len(rows)


def extend(ledger: Ledger, most: int) -> int:
    """Index the next jobs above the mark, at most `most`; how many it were."""
    rows = _batch(ledger, _SIZES_NEW, _NEW, most)
    if not rows:
        return 0
    made = {row: entry(*row[1:]) for row in rows}
    with ledger.write() as tx:
        rows = tx.rows(_NEW, (rows[-1][0], most))
        tx.many(
            "INSERT INTO fulltext (rowid, words) VALUES (?, ?)",
            [(row[0], made.get(row) or entry(*row[1:])) for row in rows],
        )
        if rows:
            tx.run("UPDATE meta SET value = ? WHERE key = 'fulltext'", (rows[-1][0],))
    return len(rows)


def merge(ledger: Ledger) -> bool:
    """Merge a few pages of the index, so that a search has few places to look at; whether there may be more."""
    with ledger.write() as tx:
        before = _changes(tx)
        tx.run("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (PAGES,))
        return _changes(tx) - before >= 2  # as its documentation says


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
    """What the index holds, and what it should hold (None: nothing, the job is gone)."""
    return entry(*row[1:_WIDTH]), None if row[_WIDTH] is None else entry(*row[_WIDTH:])


def _changes(tx: Tx) -> int:
    row = tx.row("SELECT total_changes()")
    assert row is not None
    return int(row[0])
