"""The table of how full queues were: a row a minute for each that held ready jobs."""

MIGRATION = """
CREATE TABLE depth (
  at INTEGER NOT NULL, queue TEXT NOT NULL,       -- minute since the epoch
  most INTEGER NOT NULL,                          -- ready jobs: the most that a look saw in it
  PRIMARY KEY (at, queue)
) WITHOUT ROWID;
"""
