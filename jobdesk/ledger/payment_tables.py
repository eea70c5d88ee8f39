"""The table of payments that jobs try again: what was asked of a provider, before it is asked, and what came of it."""

MIGRATION = """
-- One row a payment. `charging`: the provider was asked, and nobody knows yet what came of it.
CREATE TABLE payment (
  provider TEXT NOT NULL, payment TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, decimals INTEGER NOT NULL,   -- amount in minor units
  state TEXT NOT NULL CHECK (state IN ('charging', 'pending', 'succeeded', 'declined', 'refused', 'invalid')),
  attempt INTEGER NOT NULL,                 -- of the business: each has an idempotency key of its own
  method TEXT,                              -- what is charged, as the provider calls it
  reference TEXT,                           -- the provider's own id
  code TEXT, message TEXT,                  -- of the last decline
  created_at REAL NOT NULL, changed_at REAL NOT NULL,
  key_at REAL NOT NULL,                     -- when the key of this attempt was first used
  next_at REAL,                             -- when the next attempt may be made
  job TEXT NOT NULL,
  PRIMARY KEY (provider, payment)
) WITHOUT ROWID;
"""
