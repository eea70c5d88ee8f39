"""Whether the ledger agrees with itself: what is counted against what is there. Reads only; `ledger.mending` mends.

Nothing here keeps others from writing, however long it takes.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from jobdesk.core.errors import LedgerError
from jobdesk.core.job import DEAD, FINAL, State
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.fulltext import COLUMNS, MARK, entry

LOOKED_AT = 500
"""Jobs whose words are compared with the index."""
WORDS = 50
"""Words of each that are looked for."""
TERMS = 5000
"""Words of the index that one statement reads."""
OPEN_PARENTS = (
    "SELECT count(*) FROM dependency d JOIN job p ON p.seq = d.parent WHERE d.job = {} "
    "AND p.state <> 'completed' AND NOT (d.ignores AND p.finished_at IS NOT NULL)"
)
_DEAD = ", ".join(f"'{state}'" for state in sorted(DEAD))
_LOST = ", ".join(f"'{state}'" for state in sorted(FINAL - {State.COMPLETED}))
_TALLY = "SELECT queue, state, count(*) AS n FROM job GROUP BY queue, state"
_LANE = "SELECT queue, type, count(*) AS ready FROM job WHERE state = 'pending' AND parked = 0 GROUP BY queue, type"
_FLOW = (
    "SELECT f.id AS id, count(j.seq) AS total, coalesce(sum(j.finished_at IS NULL AND j.seq IS NOT NULL), 0) AS open, "
    f"coalesce(sum(j.state IN ({_LOST}) AND NOT j.optional), 0) AS failed "
    "FROM flow f LEFT JOIN job j ON j.flow = f.id GROUP BY f.id"
)


def damage(ledger: Ledger) -> list[str]:
    """What SQLite finds wrong with the file and its indexes, [] if nothing; reads all of it."""
    return [text for (text,) in ledger.rows("PRAGMA integrity_check(20)") if text != "ok"]


def is_of_an_index(text: str) -> bool:
    """Whether damage is of an index alone, which can be built anew from its table."""
    return " missing from index " in text or text.startswith(
        ("wrong # of entries in index", "non-unique entry in index")
    )


def wrong_tallies(ledger: Ledger) -> list[tuple[str, str, int, int]]:
    """Queue, state, counted and real number of jobs where these differ; one statement, since others may be at work."""
    return ledger.rows(
        "SELECT queue, state, sum(counted), sum(there) FROM (SELECT queue, state, n AS counted, 0 AS there FROM tally "
        f"UNION ALL SELECT queue, state, 0, n FROM ({_TALLY})) GROUP BY 1, 2 HAVING sum(counted) <> sum(there) "
        "ORDER BY 1, 2"
    )


def wrong_lanes(ledger: Ledger) -> list[tuple[str, str, int, int]]:
    """Queue, type, counted and real number of ready jobs where these differ."""
    return ledger.rows(
        "SELECT queue, type, sum(counted), sum(there) FROM (SELECT queue, type, ready AS counted, 0 AS there FROM lane "
        f"UNION ALL SELECT queue, type, 0, ready FROM ({_LANE})) GROUP BY 1, 2 HAVING sum(counted) <> sum(there) "
        "ORDER BY 1, 2"
    )


@dataclass(frozen=True, slots=True)
class Short:
    """A minute (since the epoch) that counts fewer ends than there are."""

    at: int
    queue: str
    completed: int
    failed: int


def short_minutes(ledger: Ledger) -> list[Short]:
    """Minutes that count fewer jobs than ended in them; a job that ran again or was removed still counts there."""
    span = ledger.row("SELECT min(at), max(at) FROM minute")
    if span is None or span[0] is None:
        return []
    found = []
    for start in range(span[0], span[1] + 1, 1440):
        found += ledger.rows(
            "SELECT e.at, e.queue, e.completed, e.failed FROM (SELECT CAST(finished_at / 60 AS INTEGER) AS at, queue, "
            f"sum(state = 'completed') AS completed, sum(state IN ({_DEAD})) AS failed FROM job "
            "WHERE finished_at IS NOT NULL AND finished_at >= ? AND finished_at < ? GROUP BY 1, 2) e "
            "LEFT JOIN minute m ON m.at = e.at AND m.queue = e.queue "
            "WHERE e.completed > ifnull(m.completed, 0) OR e.failed > ifnull(m.failed, 0)",
            (start * 60, min(start + 1440, span[1] + 1) * 60),
        )
    return [Short(*row) for row in found]


def wrong_flows(ledger: Ledger) -> list[str]:
    """Ids of flows whose counts are wrong."""
    rows = ledger.rows(
        f"SELECT f.id FROM flow f JOIN ({_FLOW}) r ON r.id = f.id "
        "WHERE (f.total, f.open, f.failed) <> (r.total, r.open, r.failed)"
    )
    return [id_ for (id_,) in rows]


def recount_flow(tx: Tx, id_: str) -> None:
    """Make the counts of a flow right, and whether it has finished."""
    tx.run(
        "UPDATE flow SET total = r.total, open = r.open, failed = r.failed, finished_at = CASE WHEN r.open = 0 THEN "
        "coalesce(flow.finished_at, (SELECT max(finished_at) FROM job WHERE flow = r.id)) END "
        f"FROM ({_FLOW.replace(' GROUP BY', ' WHERE f.id = ?1 GROUP BY')}) r WHERE r.id = flow.id AND flow.id = ?1",
        (id_,),
    )


def wrong_waits(ledger: Ledger) -> list[tuple[int, str, int, int]]:
    """Seq and id of blocked jobs, and for how many others they think they wait and do, where these differ."""
    return ledger.rows(
        f"SELECT seq, id, waits_for, there FROM (SELECT j.seq, j.id, j.waits_for, ({OPEN_PARENTS.format('j.seq')}) "
        "AS there FROM job j WHERE j.state = 'blocked') WHERE waits_for <> there ORDER BY seq"
    )


def jobs_gone(ledger: Ledger, table: str, most: int) -> list[int]:
    """Seqs of jobs that a table has rows of and that are no more."""
    rows = ledger.rows(
        f"SELECT DISTINCT job FROM {table} t WHERE job IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM job WHERE seq = t.job) LIMIT ?",
        (most,),
    )
    return [int(seq) for (seq,) in rows]


def queues_without_a_row(ledger: Ledger) -> list[str]:
    """Queues that have jobs and are not in the table of queues: nothing of them would ever be claimed."""
    rows = ledger.rows("SELECT DISTINCT queue FROM tally WHERE n > 0 AND queue NOT IN (SELECT name FROM queue)")
    return [str(name) for (name,) in rows]


def made_files(ledger: Ledger, most: int = 2000) -> Iterator[list[tuple[int, str]]]:
    """Seq of the job and path of every file that jobs made, a part at a time."""
    at: tuple[int, str] = (-1, "")
    while rows := ledger.rows(
        "SELECT job, path FROM artifact WHERE (job, path) > (?, ?) ORDER BY 1, 2 LIMIT ?", (*at, most)
    ):
        yield [(int(job), str(path)) for job, path in rows]
        at = (rows[-1][0], rows[-1][1])


def asset_records(ledger: Ledger, most: int = 500) -> Iterator[list[tuple[str, str, str]]]:
    """Id, name and record (JSON) of every asset, a part at a time."""
    at = ""
    while rows := ledger.rows("SELECT id, name, record FROM asset WHERE id > ? ORDER BY id LIMIT ?", (at, most)):
        yield [(str(id_), str(name), str(record)) for id_, name, record in rows]
        at = rows[-1][0]


def unindexed(ledger: Ledger) -> list[str]:
    """Ids of jobs that the index of words should hold and does not; looks at some all over the ledger."""
    with ledger.reading():
        rows = ledger.rows(
            f"WITH RECURSIVE at (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM at WHERE n < {LOOKED_AT}), "
            f"span (low, high) AS (SELECT min(seq), {MARK} FROM job) "
            f"SELECT DISTINCT seq, {COLUMNS} FROM job WHERE seq IN (SELECT (SELECT seq FROM job "
            f"WHERE seq >= low + (high - low) * n / {LOOKED_AT} ORDER BY seq LIMIT 1) FROM at, span) "
            "AND seq <= (SELECT high FROM span) AND seq NOT IN (SELECT seq FROM outdated)"
        )
        wanted: dict[str, set[int]] = {}
        for seq, id_, *texts in rows:
            for word in entry(id_, *texts).split()[:WORDS]:
                wanted.setdefault(word, set()).add(seq)
        missing = set[int]()
        for word, seqs in wanted.items():  # a word at a time: what many jobs have is read once
            missing |= seqs - _having(ledger, word, seqs)
    return [id_ for seq, id_, *_ in rows if seq in missing]


def _having(ledger: Ledger, word: str, seqs: set[int]) -> set[int]:
    rows = ledger.rows(
        "SELECT rowid FROM fulltext WHERE fulltext MATCH ? AND +rowid IN (SELECT value FROM json_each(?))",
        (f'"{word}"', json.dumps(sorted(seqs))),
    )
    return {int(seq) for (seq,) in rows}


def damaged_index(ledger: Ledger) -> bool:
    """Whether the index of words cannot be read to its end; some thousand words at a time."""
    ledger.row("SELECT 1 FROM job LIMIT 1")  # a ledger that cannot be read at all is another finding
    try:
        ledger.rows("CREATE VIRTUAL TABLE IF NOT EXISTS temp.fulltext_words USING fts5vocab (main, fulltext, row)")
        last: object = ""
        while last is not None:
            found = ledger.row(
                "SELECT max(term), sum(doc) FROM (SELECT term, doc FROM temp.fulltext_words WHERE term > ? "
                "ORDER BY term LIMIT ?)",
                (last, TERMS),
            )
            last = found[0] if found else None
    except (LedgerError, sqlite3.DatabaseError):
        return True
    return False


def latest_instant(ledger: Ledger) -> float | None:
    """The latest moment at which anything is said to have happened already, epoch seconds."""
    row = ledger.row(
        "SELECT max(at) FROM ("
        "SELECT max(created_at) AS at FROM (SELECT created_at FROM job ORDER BY seq DESC LIMIT 1000) "
        "UNION ALL SELECT max(finished_at) FROM job UNION ALL SELECT max(heartbeat_at) FROM consumer "
        "UNION ALL SELECT at FROM (SELECT at FROM event ORDER BY id DESC LIMIT 1))"
    )
    return None if row is None else row[0]
