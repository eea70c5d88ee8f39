"""The table of schedules made anew: one may also come with a processor."""

MIGRATION = """
ALTER TABLE schedule RENAME TO schedule_former;
CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  origin TEXT NOT NULL CHECK (origin IN ('settings', 'added', 'plugin')),
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
INSERT INTO schedule SELECT * FROM schedule_former;
DROP TABLE schedule_former;
ALTER TABLE schedule ADD COLUMN source TEXT;    -- of its jobs, if another than `schedule`
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL AND paused_at IS NULL;
"""
