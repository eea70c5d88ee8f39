"""The columns of held and of labelled jobs, and what its triggers do; see `ledger.holding`."""

from jobdesk.ledger import lanes

MIGRATION = """
ALTER TABLE job ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN label TEXT;          -- a word of the submitter's own
"""

ON_NEW = ["UPDATE job SET parked = 2 WHERE new.held AND seq = new.seq"]
ON_HELD = [
    f"UPDATE job SET parked = CASE WHEN new.held THEN 2 WHEN new.concurrency_key IS NOT NULL AND {lanes.TAKEN} THEN 1 "
    "ELSE 0 END WHERE seq = new.seq",
    f"UPDATE job SET parked = 0 WHERE new.held AND {lanes.STEPS_FORWARD}",
    lanes.STEP_BACK.format("NOT new.held AND new.concurrency_key IS NOT NULL AND new.state = 'pending'"),
]
"""What the trigger does when a job is held or released, as statements."""
