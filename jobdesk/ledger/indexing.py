"""How the index of words follows the jobs: a step at a time, each a transaction of a few milliseconds.

Rows are read and cut into words before the transaction begins; in it they are read again, and what has
changed in between is cut anew. Several indexers of one home do no harm to each other.
"""

from jobdesk.ledger.database import Ledger, Row, Tx
from jobdesk.ledger.fulltext import COLUMNS, MARK, entry
from jobdesk.ledger.step import Step

LETTERS = 100_000
"""Letters of payload and error that one step indexes, unless a single job has more."""
CHUNK = 50
"""Jobs that are read at once to see how many letters they have."""

_NEW = f"SELECT seq, {COLUMNS} FROM job WHERE seq > {MARK} AND seq > :after AND seq <= :last ORDER BY seq LIMIT :most"
_OUTDATED = (
    f"SELECT o.seq, {', '.join('o.' + name for name in COLUMNS.split(', '))}, "
    f"{', '.join('j.' + name for name in COLUMNS.split(', '))} "
    f"FROM outdated o LEFT JOIN job j ON j.seq = o.seq AND j.seq <= {MARK} "
    "WHERE o.seq > :after AND o.seq <= :last ORDER BY o.seq LIMIT :most"
)
_LAST = 2**62
_WIDTH = 1 + len(COLUMNS.split(", "))


def is_behind(ledger: Ledger) -> bool:
    """Whether there is a job that the index does not hold, or holds wrongly."""
    return ledger.row(f"SELECT 1 FROM outdated UNION ALL SELECT 1 FROM job WHERE seq > {MARK} LIMIT 1") is not None


def refresh(ledger: Ledger, most: int) -> Step:
    """Bring the index up to date with at most `most` jobs that have changed or gone."""
    rows = _batch(ledger, _OUTDATED, most)
    if not rows:
        return Step(False)
    made = {row: _both(row) for row in rows}
    with _Timed(ledger) as held, ledger.write() as tx:
        held.begin()
        rows = tx.rows(_OUTDATED, _span(0, rows[-1][0], most))
        for row in rows:
            then, now = made.get(row) or _both(row)
            tx.run("INSERT INTO fulltext (fulltext, rowid, words) VALUES ('delete', ?, ?)", (row[0], then))
            if now is not None:
                tx.run("INSERT INTO fulltext (rowid, words) VALUES (?, ?)", (row[0], now))
        tx.many("DELETE FROM outdated WHERE seq = ?", [(row[0],) for row in rows])
    return Step(True, held.seconds)


def extend(ledger: Ledger, most: int) -> Step:
    """Index the next jobs above the mark, at most `most`."""
    rows = _batch(ledger, _NEW, most)
    if not rows:
        return Step(False)
    made = {row: entry(*row[1:]) for row in rows}
    with _Timed(ledger) as held, ledger.write() as tx:
        held.begin()
        if tx.row(f"SELECT 1 FROM outdated WHERE seq > {MARK} LIMIT 1"):
            return Step(True)  # the index still holds what had these seqs before: `refresh` comes first
        rows = tx.rows(_NEW, _span(0, rows[-1][0], most))
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


def _batch(ledger: Ledger, sql: str, most: int) -> list[Row]:
    """The next rows, as many as `LETTERS` allows but at least one."""
    rows, letters = list[Row](), 0
    while len(rows) < most:
        after = rows[-1][0] if rows else 0
        chunk = ledger.rows(sql, _span(after, _LAST, min(CHUNK, most - len(rows))))
        for row in chunk:
            letters += sum(len(text) for text in row[1:] if text is not None)
            if rows and letters > LETTERS:
                return rows
            rows.append(row)
        if len(chunk) < CHUNK:
            break
    return rows


def _span(after: int, last: int, most: int) -> dict[str, int]:
    return {"after": after, "last": last, "most": most}


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
