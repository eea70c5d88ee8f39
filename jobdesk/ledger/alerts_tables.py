"""The tables of alerts: what holds or held, what was silenced, and what events told of."""

MIGRATION = """
CREATE TABLE alert (
  id INTEGER PRIMARY KEY AUTOINCREMENT,    -- short, for people to type
  rule TEXT NOT NULL, subject TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
  value REAL NOT NULL, threshold REAL NOT NULL, message TEXT NOT NULL,
  queue TEXT, job TEXT,
  since_at REAL NOT NULL,                   -- when the condition was first seen
  held_s REAL NOT NULL DEFAULT 0,           -- how long looks have seen it since; no step of the clock counts
  raised_at REAL,                           -- NULL: it has not been raised yet
  cleared_at REAL,
  acked_at REAL, acked_by TEXT
);
CREATE UNIQUE INDEX alert_open ON alert (rule, subject) WHERE cleared_at IS NULL;
CREATE INDEX alert_cleared ON alert (cleared_at) WHERE cleared_at IS NOT NULL;

CREATE TABLE alert_silence (
  rule TEXT NOT NULL, subject TEXT NOT NULL,      -- '': every subject of the rule
  until_at REAL NOT NULL, by TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (rule, subject)
) WITHOUT ROWID;

-- What events told of and rules look back at: consumers lost, schedules missed.
CREATE TABLE alert_signal (
  kind TEXT NOT NULL, subject TEXT NOT NULL,
  at REAL NOT NULL, n INTEGER NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
INSERT INTO meta SELECT 'alert_event', coalesce(max(id), 0) FROM event;
"""
