"""Huey on the ledger: its storage, its consumer threads, and who is told when there is work."""
