"""The tables of referral commissions: every transaction, and what they come to for each referrer."""

MIGRATION = """
-- What a referrer got for a sale, and what was taken back of it. Amounts are in minor units.
CREATE TABLE commission (
  seq INTEGER PRIMARY KEY,
  source TEXT NOT NULL,                     -- the sale
  refund TEXT NOT NULL DEFAULT '',          -- the refund that takes back; '' for what was earned
  level INTEGER NOT NULL CHECK (level >= 1),
  referrer TEXT NOT NULL,
  basis INTEGER NOT NULL,                   -- of the sale, or of the refund
  amount INTEGER NOT NULL,                  -- negative: taken back
  currency TEXT NOT NULL, decimals INTEGER NOT NULL,
  rule TEXT NOT NULL, rate TEXT NOT NULL,
  at REAL NOT NULL, job TEXT NOT NULL,
  UNIQUE (source, refund, level)
);
CREATE INDEX commission_of ON commission (referrer, currency, at);

CREATE TABLE referrer (
  name TEXT NOT NULL, currency TEXT NOT NULL, decimals INTEGER NOT NULL,
  sales INTEGER NOT NULL DEFAULT 0,         -- their own, without those that were refunded whole
  turnover INTEGER NOT NULL DEFAULT 0,      -- of those, less refunds
  earned INTEGER NOT NULL DEFAULT 0, reversed INTEGER NOT NULL DEFAULT 0,
  last_at REAL NOT NULL,
  PRIMARY KEY (name, currency)
) WITHOUT ROWID;
"""
