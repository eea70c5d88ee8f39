"""What was set of queues while the desk runs."""

MIGRATION = """
ALTER TABLE queue ADD COLUMN concurrency_set INTEGER;   -- by `queues set`; holds where the settings say none
"""
