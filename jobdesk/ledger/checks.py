"""Whether the ledger agrees with itself: what triggers count against what is there. `jobdesk doctor` asks and mends."""

import sqlite3

from jobdesk.core.job import FINAL, State
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.fulltext import COLUMNS, MARK, entry

LOOKED_AT = 500
"""Jobs whose words are compared with the index."""
WORDS = 50
"""Words of each that are looked for."""
_LOST = ", ".join(f"'{state}'" for state in sorted(FINAL - {State.COMPLETED}))
_TALLY = "SELECT queue, state, count(*) AS n FROM job GROUP BY queue, state"
_LANE = "SELECT queue, type, count(*) AS ready FROM job WHERE state = 'pending' AND parked = 0 GROUP BY queue, type"
_FLOW = (
    "SELECT f.id AS id, count(j.seq) AS total, coalesce(sum(j.finished_at IS NULL AND j.seq IS NOT NULL), 0) AS open, "
    f"coalesce(sum(j.state IN ({_LOST}) AND NOT j.optional), 0) AS failed "
    "FROM flow f LEFT JOIN job j ON j.flow = f.id GROUP BY f.id"
)


def damage(ledger: Ledger) -> list[str]:
    """What SQLite finds wrong with the file, [] if nothing; reads all of it."""
    return [text for (text,) in ledger.rows("PRAGMA quick_check(10)") if text != "ok"]


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


def recount(tx: Tx) -> None:
    """Make the tallies and lanes right."""
    tx.run("DELETE FROM tally")
    tx.run(f"INSERT INTO tally (queue, state, n) {_TALLY}")
    tx.run("DELETE FROM lane")
    tx.run(f"INSERT INTO lane (queue, type, ready) {_LANE}")
    tx.wakes = True


def wrong_flows(ledger: Ledger) -> list[str]:
    """Ids of flows whose counts are wrong."""
    rows = ledger.rows(
        f"SELECT f.id FROM flow f JOIN ({_FLOW}) r ON r.id = f.id "
        "WHERE (f.total, f.open, f.failed) <> (r.total, r.open, r.failed)"
    )
    return [id_ for (id_,) in rows]


def recount_flows(tx: Tx) -> None:
    """Make the counts of flows right, and which have finished."""
    tx.run(
        "UPDATE flow SET total = r.total, open = r.open, failed = r.failed, finished_at = CASE WHEN r.open = 0 THEN "
        "coalesce(flow.finished_at, (SELECT max(finished_at) FROM job WHERE flow = r.id)) END "
        f"FROM ({_FLOW}) r WHERE r.id = flow.id AND (flow.total, flow.open, flow.failed) <> (r.total, r.open, r.failed)"
    )


def unindexed(ledger: Ledger) -> list[str]:
    """Ids of jobs that the index of words should hold and does not; looks at some all over the ledger."""
    rows = ledger.rows(
        f"WITH RECURSIVE at (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM at WHERE n < {LOOKED_AT}), "
        f"span (low, high) AS (SELECT min(seq), {MARK} FROM job) "
        f"SELECT DISTINCT seq, {COLUMNS} FROM job WHERE seq IN (SELECT (SELECT seq FROM job "
        f"WHERE seq >= low + (high - low) * n / {LOOKED_AT} ORDER BY seq LIMIT 1) FROM at, span) "
        "AND seq <= (SELECT high FROM span) AND seq NOT IN (SELECT seq FROM outdated)"
    )
    return [id_ for seq, id_, *texts in rows if not _is_indexed(ledger, seq, entry(id_, *texts))]


def _is_indexed(ledger: Ledger, seq: int, words: str) -> bool:
    match = " AND ".join(f'"{word}"' for word in words.split()[:WORDS])
    return ledger.row("SELECT 1 FROM fulltext WHERE fulltext MATCH ? AND rowid = ?", (match, seq)) is not None


def damaged_index(tx: Tx) -> bool:
    """Whether the index of words is damaged in itself; reads all of it, and others wait to write meanwhile."""
    try:
        tx.run("INSERT INTO fulltext (fulltext) VALUES ('integrity-check')")
    except sqlite3.DatabaseError:
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
