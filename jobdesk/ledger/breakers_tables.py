"""The tables of circuit breakers. Only services that failed have rows: an empty table keeps nobody."""

MIGRATION = """
-- Whether a service may be called. `half open` is no word here: it is open, and `until` has passed.
CREATE TABLE breaker (
  service TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('closed', 'open')),
  changed_at REAL NOT NULL,
  reason TEXT NOT NULL,                     -- of its last change
  opened INTEGER NOT NULL DEFAULT 0,        -- how often in a row
  until REAL, pause_s REAL,                 -- when trials begin, and how long it was until then; NULL: held by somebody
  trials INTEGER NOT NULL DEFAULT 1         -- how many calls go through then, and must succeed
) WITHOUT ROWID;

-- Calls of the last window, in ten slots of time.
CREATE TABLE breaker_call (
  service TEXT NOT NULL, slot INTEGER NOT NULL, calls INTEGER NOT NULL, failures INTEGER NOT NULL,
  PRIMARY KEY (service, slot)
) WITHOUT ROWID;

-- Jobs on trial; one that was lost with its consumer no longer fits its fence, and counts for nothing.
CREATE TABLE breaker_trial (
  service TEXT NOT NULL, job INTEGER NOT NULL, fence INTEGER NOT NULL, ok INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (service, job, fence)
) WITHOUT ROWID;

-- Jobs that met an open breaker after their claim, and when they look again by themselves.
CREATE TABLE breaker_wait (
  service TEXT NOT NULL, job INTEGER NOT NULL, fence INTEGER NOT NULL, due_at REAL NOT NULL,
  PRIMARY KEY (job, service)
) WITHOUT ROWID;
CREATE INDEX breaker_wait_due ON breaker_wait (service, due_at);

-- What a service answered last; `due_at` is when its health URL is asked again, by whoever is first; NULL: it has none.
CREATE TABLE service_probe (
  service TEXT PRIMARY KEY, due_at REAL,
  at REAL, ok INTEGER, message TEXT, took_ms REAL
) WITHOUT ROWID;
"""
