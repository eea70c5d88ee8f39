"""The tables of the rollups, and the trigger statement that keeps an end until it is in them."""

MIGRATION = """
-- What ended in each minute, hour and day: `grain` is its length in seconds, `at` its number since the epoch.
CREATE TABLE rollup (
  grain INTEGER NOT NULL, at INTEGER NOT NULL, queue TEXT NOT NULL, type TEXT NOT NULL,
  completed INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL, expired INTEGER NOT NULL,
  again INTEGER NOT NULL,                   -- after more than one attempt
  cpu_jobs INTEGER NOT NULL, cpu_ms INTEGER NOT NULL, cpu_most_ms INTEGER NOT NULL,
  rss_jobs INTEGER NOT NULL, rss_bytes INTEGER NOT NULL, rss_most_bytes INTEGER NOT NULL,
  spans BLOB NOT NULL,                      -- waited, took, in all: see `ledger.spans`
  PRIMARY KEY (grain, at, queue, type)
) WITHOUT ROWID;
CREATE TABLE rollup_error (
  grain INTEGER NOT NULL, at INTEGER NOT NULL, queue TEXT NOT NULL, type TEXT NOT NULL,
  error TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (grain, at, queue, type, error)
) WITHOUT ROWID;
-- Queue and type are empty in the rows of all that a worker ran: what is asked for most is read from few.
CREATE TABLE rollup_worker (
  grain INTEGER NOT NULL, at INTEGER NOT NULL, queue TEXT NOT NULL, type TEXT NOT NULL,
  worker TEXT NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL, spans BLOB NOT NULL,
  PRIMARY KEY (grain, at, queue, type, worker)
) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('rollup', '0');

-- Ends above the mark whose job runs again or is gone.
CREATE TABLE unfolded (
  event INTEGER PRIMARY KEY, at REAL NOT NULL, queue TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL,
  attempt INTEGER NOT NULL, worker TEXT, created_at REAL NOT NULL, ready_at REAL, started_at REAL,
  cpu_ms INTEGER, max_rss_bytes INTEGER, error_type TEXT
);
"""

_KEEP = (
    "INSERT INTO unfolded SELECT e.id, old.finished_at, old.queue, old.type, old.state, old.attempt, old.worker, "
    "old.created_at, old.ready_at, old.started_at, old.cpu_ms, old.max_rss_bytes, old.error_type "
    "FROM (SELECT id FROM event WHERE job = old.seq "
    "AND kind IN ('job_completed', 'job_failed', 'job_cancelled', 'job_expired') ORDER BY id DESC LIMIT 1) e "
    "WHERE old.finished_at IS NOT NULL AND e.id > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'rollup')"
)

# For the triggers of `ledger.tables`. No claim and no completion writes `ready_at`.
ON_AGAIN = ("AFTER UPDATE OF ready_at ON job WHEN old.finished_at IS NOT NULL AND new.finished_at IS NULL", [_KEEP])
ON_GONE = [_KEEP]
