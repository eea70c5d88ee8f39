"""The table of webhooks: how far each has come."""

MIGRATION = """
CREATE TABLE webhook (
  name TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL,                  -- every event up to here is delivered, or in `job`, or was not wanted
  job TEXT                                  -- the latest delivery
) WITHOUT ROWID;
"""
