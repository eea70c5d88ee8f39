"""What people say to running jobs, until the consumer that runs them takes it, and which of them are paused."""

MIGRATION = """
CREATE TABLE spoken (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL, fence INTEGER NOT NULL,          -- the attempt that is meant: no later one hears it
  word TEXT NOT NULL                                  -- JSON, see core.speech
);
CREATE TABLE paused (
  job TEXT PRIMARY KEY, fence INTEGER NOT NULL, at REAL NOT NULL, who TEXT NOT NULL
) WITHOUT ROWID;
"""
