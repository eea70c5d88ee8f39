"""What each consumer's process uses itself, written with its heartbeat."""

MIGRATION = """
ALTER TABLE consumer ADD COLUMN cpu_s REAL;                   -- processor time since its process started
ALTER TABLE consumer ADD COLUMN cpu_share REAL;               -- of one core, over the last seconds
ALTER TABLE consumer ADD COLUMN rss_bytes INTEGER;
"""
