"""The truth: one SQLite file that is job table, queue, history and intake record at once."""
