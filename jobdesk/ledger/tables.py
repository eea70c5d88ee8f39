"""The tables of the ledger, as numbered migrations, and the triggers that keep it honest.

`MIGRATIONS[n]` brings a database from version n to n+1 and is never edited once released. The
triggers are made anew at each migration from `core.moves`, so table and code cannot differ.
"""

from jobdesk.core.job import DEAD, FINAL, IN_FLIGHT, State
from jobdesk.core.moves import MOVES
from jobdesk.ledger import (
    alerts_tables,
    audit_tables,
    breakers_tables,
    depth_tables,
    folder_tables,
    footprint_tables,
    fulltext,
    holding_tables,
    kept,
    lanes,
    notices_tables,
    payment_tables,
    queue_room_tables,
    referral_tables,
    schedule_tables,
    speaking_tables,
    unique,
    versions,
    webhook_tables,
)

MINUTES_KEPT = 7 * 24 * 60
"""How long `minute` remembers."""


def _words(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in State if state in states)


_FIRST = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE queue (
  name TEXT PRIMARY KEY,
  priority INTEGER NOT NULL DEFAULT 50,
  concurrency INTEGER,                      -- NULL: as many as there are workers
  ttl_s REAL, dead_letter_ttl_s REAL,
  max_size INTEGER, keep_completed INTEGER, keep_failed INTEGER,
  description TEXT NOT NULL DEFAULT '',
  paused_at REAL, paused_by TEXT
) WITHOUT ROWID;

-- One row a queue and state, kept by trigger: no screen ever counts jobs.
CREATE TABLE tally (
  queue TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (queue, state)
) WITHOUT ROWID;

-- How many jobs ended in each minute (since the epoch), kept by trigger for a week: rates cost nothing.
CREATE TABLE minute (
  at INTEGER NOT NULL, queue TEXT NOT NULL,
  completed INTEGER NOT NULL, failed INTEGER NOT NULL,      -- failed: what went to the dead letters
  PRIMARY KEY (at, queue)
) WITHOUT ROWID;

CREATE TABLE flow (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at REAL NOT NULL, finished_at REAL,
  total INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  on_failure TEXT,                          -- the job to add when one of its jobs fails, as JSON
  failure_job TEXT                          -- the job that was added
) WITHOUT ROWID;

CREATE TABLE job (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  queue TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ({_words(frozenset(State))})),
  priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
  attempt INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
  fence INTEGER NOT NULL DEFAULT 0,         -- claims so far: who holds an older one may write nothing
  waits_for INTEGER NOT NULL DEFAULT 0,     -- jobs in `after` that are not completed
  created_at REAL NOT NULL,
  run_at REAL NOT NULL,
  ready_at REAL, started_at REAL, finished_at REAL, expires_at REAL,
  cancel_requested_at REAL,
  worker TEXT,
  flow TEXT, step TEXT, optional INTEGER NOT NULL DEFAULT 0,
  parent TEXT, schedule TEXT, source TEXT, user TEXT, unique_key TEXT,
  timeout_s REAL NOT NULL, retry TEXT NOT NULL,
  progress_done REAL, progress_total REAL, progress_message TEXT,
  cpu_ms INTEGER, max_rss_bytes INTEGER,
  error_type TEXT, error_message TEXT, error_fingerprint TEXT, error_retryable INTEGER,
  data TEXT NOT NULL,
  result TEXT,
  error_traceback TEXT,
  CHECK (state <> 'processing' OR (worker IS NOT NULL AND started_at IS NOT NULL)),
  CHECK ((state IN ({_words(FINAL)})) = (finished_at IS NOT NULL))
);
CREATE INDEX job_claim ON job (queue, priority DESC, seq) WHERE state = 'pending';
CREATE INDEX job_due ON job (run_at) WHERE state IN ('scheduled', 'retrying', 'blocked');
CREATE INDEX job_expiry ON job (expires_at)
  WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'pending', 'retrying');
CREATE INDEX job_running ON job (worker) WHERE state = 'processing';
CREATE UNIQUE INDEX job_unique ON job (unique_key)
  WHERE unique_key IS NOT NULL AND state IN ({_words(IN_FLIGHT)});
-- Every job goes through `processing`, few are in it at a time: `job_running` has those.
CREATE INDEX job_state ON job (state, seq) WHERE state <> 'processing';
CREATE INDEX job_queue ON job (queue, seq);
CREATE INDEX job_type ON job (type, seq);
CREATE INDEX job_flow ON job (flow, seq) WHERE flow IS NOT NULL;
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX job_of_schedule ON job (schedule) WHERE schedule IS NOT NULL AND finished_at IS NULL;
CREATE INDEX job_error ON job (error_fingerprint, seq) WHERE state IN ({_words(DEAD)});

CREATE TABLE dependency (
  parent INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (parent, job)
) WITHOUT ROWID;
CREATE INDEX dependency_job ON dependency (job);

CREATE TABLE attempt (
  job INTEGER NOT NULL, fence INTEGER NOT NULL, number INTEGER NOT NULL,
  outcome TEXT NOT NULL, worker TEXT NOT NULL,
  started_at REAL NOT NULL, finished_at REAL NOT NULL,
  cpu_ms INTEGER, max_rss_bytes INTEGER,
  error_type TEXT, error_message TEXT, error_traceback TEXT,
  PRIMARY KEY (job, fence)
) WITHOUT ROWID;

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL, kind TEXT NOT NULL, job INTEGER, queue TEXT, data TEXT
);
CREATE INDEX event_job ON event (job, id) WHERE job IS NOT NULL;

CREATE TABLE artifact (
  job INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (job, path)
) WITHOUT ROWID;

CREATE TABLE asset (
  id TEXT PRIMARY KEY, created_at REAL NOT NULL, job TEXT NOT NULL, flow TEXT,
  name TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX asset_sha256 ON asset (sha256);

-- Processes that run jobs, and the children that work for them.
CREATE TABLE consumer (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, pid INTEGER NOT NULL, process_started REAL NOT NULL,
  workers INTEGER NOT NULL, queues TEXT,
  started_at REAL NOT NULL, heartbeat_at REAL NOT NULL, stopped_at REAL
) WITHOUT ROWID;
CREATE TABLE child (
  pid INTEGER NOT NULL, process_started REAL NOT NULL, consumer TEXT NOT NULL,
  PRIMARY KEY (pid, process_started)
) WITHOUT ROWID;

-- The intake record: a row for each file that a drop folder took in (id file_…), and for what its last scan
-- saw and did not take (id seen_…).
CREATE TABLE intake (
  id TEXT PRIMARY KEY, folder TEXT NOT NULL,
  path BLOB NOT NULL,                       -- below the folder, as the file system has it
  state TEXT NOT NULL CHECK (state IN ('waiting', 'settling', 'claimed', 'ignored',
    'queued', 'done', 'rejected', 'duplicate')),
  reason TEXT, message TEXT,
  sha256 TEXT, size INTEGER, detected_type TEXT,
  job TEXT, flow TEXT, duplicate_of TEXT,
  moved_to BLOB,                            -- where the file went when its story ended
  first_seen REAL NOT NULL, claimed_at REAL, finished_at REAL
) WITHOUT ROWID;
CREATE INDEX intake_open ON intake (folder, state, finished_at) WHERE finished_at IS NULL;
CREATE INDEX intake_hash ON intake (folder, sha256) WHERE state IN ('queued', 'done');
CREATE INDEX intake_folder ON intake (folder, state);
CREATE INDEX intake_flow ON intake (flow) WHERE flow IS NOT NULL;
CREATE INDEX intake_job ON intake (job) WHERE job IS NOT NULL;

-- What is to be made when. A definition comes from the settings or was added; pause and history outlive its changes.
CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  origin TEXT NOT NULL CHECK (origin IN ('settings', 'added')),
  type TEXT NOT NULL, cron TEXT, at REAL, timezone TEXT NOT NULL,
  data TEXT NOT NULL, queue TEXT, priority INTEGER,
  missed TEXT NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
  overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'allow')),
  user TEXT, created_at REAL NOT NULL, changed_at REAL NOT NULL,
  cursor_at REAL NOT NULL,                  -- every time up to here has been dealt with
  next_at REAL,                             -- NULL: none comes any more
  paused_at REAL, paused_by TEXT,
  last_at REAL, last_job TEXT, fired INTEGER NOT NULL DEFAULT 0, missed_count INTEGER NOT NULL DEFAULT 0,
  problem TEXT,
  CHECK ((cron IS NULL) <> (at IS NULL))
) WITHOUT ROWID;
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL AND paused_at IS NULL;

-- Each time that was dealt with, one row: no time makes a job twice, whoever looks, whatever the clock does.
CREATE TABLE schedule_run (
  schedule TEXT NOT NULL, fire_at REAL NOT NULL, at REAL NOT NULL,
  job TEXT, reason TEXT,                    -- which job it made, or why none
  PRIMARY KEY (schedule, fire_at)
) WITHOUT ROWID;

-- How each watched folder is doing, written by the process that watches it.
CREATE TABLE folder (
  path TEXT PRIMARY KEY, pipeline TEXT NOT NULL,
  mode TEXT NOT NULL,                       -- watch, scan, offline
  waiting INTEGER NOT NULL DEFAULT 0, settling INTEGER NOT NULL DEFAULT 0, ignored INTEGER NOT NULL DEFAULT 0,
  queued INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0,
  scanned_at REAL, scan_ms REAL, restarts INTEGER NOT NULL DEFAULT 0, message TEXT,
  scan_wanted_at REAL,                      -- somebody asked for a scan now
  consumer TEXT
) WITHOUT ROWID;
"""

_FLOWS = """
ALTER TABLE flow ADD COLUMN input TEXT;                       -- what it was started with, as JSON
ALTER TABLE flow ADD COLUMN cancelled_at REAL;                -- somebody cancelled all of it; a retry forgets that
ALTER TABLE dependency ADD COLUMN ignores INTEGER NOT NULL DEFAULT 0;   -- the parent need only end, in any way

-- Values of a job's data that are put in when it runs, as JSON.
CREATE TABLE binding (job INTEGER PRIMARY KEY, bindings TEXT NOT NULL);
"""

_EVENTS = "CREATE INDEX event_of_no_job ON event (id) WHERE job IS NULL;\n"

_COUNTED = """
ALTER TABLE job ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;   -- raised by moves that count for themselves
"""

MIGRATIONS = [
    _FIRST,
    _FLOWS,
    lanes.MIGRATION
    + unique.MIGRATION
    + unique.WINDOW
    + fulltext.MIGRATION
    + _EVENTS
    + _COUNTED
    + holding_tables.MIGRATION
    + kept.MIGRATION
    + audit_tables.MIGRATION
    + schedule_tables.MIGRATION
    + webhook_tables.MIGRATION
    + footprint_tables.MIGRATION
    + breakers_tables.MIGRATION
    + queue_room_tables.MIGRATION
    + versions.MIGRATION
    + alerts_tables.MIGRATION
    + notices_tables.MIGRATION
    + folder_tables.MIGRATION
    + payment_tables.MIGRATION
    + referral_tables.MIGRATION
    + speaking_tables.MIGRATION
    + depth_tables.MIGRATION,
]
"""Not released yet: whoever adds a table appends `X_tables.MIGRATION` of its own room to the last one."""


def triggers() -> str:
    """SQL that drops and makes every trigger: legal moves, tallies, minutes, flow counts, lanes, the index of words,
    ends for the rollups.

    One trigger a kind of statement: each costs a microsecond a row even where it has nothing to do, and moves that
    count for themselves (`ledger.counters`) pass them all with one look.
    """
    pairs = " OR ".join(f"(old.state = '{start}' AND new.state IN ({_words(ends)}))" for start, ends in MOVES.items())
    lost = f"state IN ({_words(FINAL - {State.COMPLETED})})"
    new = [
        "SELECT raise(ABORT, 'a new job is blocked, scheduled or pending') "
        "WHERE new.state NOT IN ('blocked', 'scheduled', 'pending') "
        f"AND NOT {audit_tables.UNDOING}",
        "INSERT INTO tally VALUES (new.queue, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1",
        "UPDATE flow SET total = total + 1, open = open + 1, finished_at = NULL WHERE id = new.flow",
        *lanes.ON_NEW,
        *holding_tables.ON_NEW,
    ]
    moved = [
        f"SELECT raise(ABORT, 'illegal move of a job') WHERE old.state <> new.state AND NOT ({pairs}) "
        f"AND NOT {audit_tables.UNDOING}",
        "UPDATE tally SET n = n - 1 WHERE queue = old.queue AND state = old.state",
        "INSERT INTO tally VALUES (new.queue, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1",
        "INSERT INTO minute SELECT CAST(new.finished_at / 60 AS INTEGER), new.queue, new.state = 'completed', "
        f"new.state <> 'completed' WHERE old.finished_at IS NULL AND new.state IN ({_words(DEAD | {State.COMPLETED})}) "
        "ON CONFLICT DO UPDATE SET completed = completed + excluded.completed, failed = failed + excluded.failed",
        f"UPDATE flow SET open = open + (new.finished_at IS NULL) - (old.finished_at IS NULL), "
        f"failed = failed + (new.{lost} AND NOT new.optional) - (old.{lost} AND NOT old.optional) WHERE id = new.flow",
        "UPDATE flow SET finished_at = CASE WHEN open = 0 THEN new.finished_at END WHERE id = new.flow",
        *lanes.ON_MOVE,
    ]
    gone = [
        "UPDATE tally SET n = n - 1 WHERE queue = old.queue AND state = old.state",
        "UPDATE flow SET total = total - 1, open = open - (old.finished_at IS NULL), "
        f"failed = failed - (old.{lost} AND NOT old.optional) WHERE id = old.flow",
        "DELETE FROM flow WHERE id = old.flow AND total = 0",
        "DELETE FROM binding WHERE old.flow IS NOT NULL AND job = old.seq",
        *lanes.ON_GONE,
        *fulltext.ON_GONE,
        *kept.ON_GONE,
    ]
    made = {
        "job_new": ("AFTER INSERT ON job WHEN new.counted = 0", new),
        "job_moved": (
            "AFTER UPDATE OF state, queue ON job WHEN new.counted = old.counted "
            "AND (old.state <> new.state OR old.queue <> new.queue)",
            moved,
        ),
        "job_parked": ("AFTER UPDATE OF parked ON job WHEN old.parked <> new.parked", lanes.ON_PARKED),
        "job_held": ("AFTER UPDATE OF held ON job WHEN old.held <> new.held", holding_tables.ON_HELD),
        "job_reworded": fulltext.ON_REWORDED,
        "job_again": kept.ON_AGAIN,
        "job_gone": ("AFTER DELETE ON job", gone),
        "minute_new": ("AFTER INSERT ON minute", [f"DELETE FROM minute WHERE at < new.at - {MINUTES_KEPT}"]),
    }
    return "".join(
        f"DROP TRIGGER IF EXISTS {name};\nCREATE TRIGGER {name} {when} BEGIN {'; '.join(does)}; END;\n"
        for name, (when, does) in made.items()
    )
