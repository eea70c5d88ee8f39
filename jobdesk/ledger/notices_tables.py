"""The tables of notices: what waits to be told to each target, and when each was told something."""

MIGRATION = """
CREATE TABLE notice (
  target TEXT PRIMARY KEY,
  first_at REAL NOT NULL,                   -- when the oldest of them came
  n INTEGER NOT NULL,                       -- how many; `told` holds the first of them, as JSON
  told TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE notice_sent (
  id INTEGER PRIMARY KEY, target TEXT NOT NULL, at REAL NOT NULL, job TEXT NOT NULL
);
CREATE INDEX notice_sent_target ON notice_sent (target, at);
"""
