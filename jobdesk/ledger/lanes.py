"""What may be claimed, arranged so that a claim costs the same whatever waits: lanes, keys and ranks.

A *lane* is what is ready of one type in one queue. A claim compares the heads of the lanes that hold
something, so what cannot start (a paused queue, a limited type) is passed over as a whole, never
walked through.

Jobs with one concurrency key must not run at once. While one of them runs, the others are *parked*:
out of the claim's index. While none runs, the first of them in each lane stands in the index, so a
paused queue keeps no key from another. Triggers see to it on every way into and out of waiting,
and a unique index makes two running ones impossible. Parked for good (2) is what somebody holds:
see `ledger.holding`.

A job's *rank* orders its lane: its priority, and with ageing (points a second) less the older it is.
It does not change while the job waits, so ageing needs no upkeep. An ageing of `FIRST` makes it an
instant: above all that any priority comes to.
"""

MIGRATION = """
ALTER TABLE job ADD COLUMN concurrency_key TEXT;
ALTER TABLE job ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN aging REAL NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN rank REAL GENERATED ALWAYS AS (priority - aging * coalesce(ready_at, created_at)) VIRTUAL;
DROP INDEX job_claim;
CREATE INDEX job_claim ON job (queue, type, rank DESC, seq) WHERE state = 'pending' AND parked = 0;
CREATE INDEX job_keyed ON job (concurrency_key, queue, type, rank DESC, seq)
  WHERE concurrency_key IS NOT NULL AND state = 'pending';
CREATE INDEX job_candidate ON job (concurrency_key)
  WHERE concurrency_key IS NOT NULL AND state = 'pending' AND parked = 0;
CREATE UNIQUE INDEX job_key_holder ON job (concurrency_key)
  WHERE concurrency_key IS NOT NULL AND state = 'processing';

CREATE TABLE lane (
  queue TEXT NOT NULL, type TEXT NOT NULL,
  ready INTEGER NOT NULL,                   -- jobs a claim may take, kept by trigger
  PRIMARY KEY (queue, type)
) WITHOUT ROWID;
INSERT INTO lane SELECT queue, type, sum(state = 'pending') FROM job GROUP BY queue, type;

-- At most `most` starts in any `span_s` seconds, of a queue or of a type.
CREATE TABLE rate (
  scope TEXT NOT NULL CHECK (scope IN ('queue', 'type')), name TEXT NOT NULL,
  most INTEGER NOT NULL, span_s REAL NOT NULL,
  starts INTEGER NOT NULL DEFAULT 0,
  open_at REAL NOT NULL DEFAULT 0,          -- when the next may start
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;
CREATE TABLE rate_start (
  scope TEXT NOT NULL, name TEXT NOT NULL, slot INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (scope, name, slot)
) WITHOUT ROWID;
"""

AGING = "coalesce((SELECT CAST(value AS REAL) FROM meta WHERE key = 'aging'), 0)"
"""The ageing that a new job is given, as SQL."""

FIRST = -1.0
"""The ageing of a job that goes before all others, and before those that came to do so earlier."""

_READY = "{0}.state = 'pending' AND {0}.parked = 0"
_KEYED = "concurrency_key = new.concurrency_key"
_WAITS = f"{_KEYED} AND state = 'pending'"
_CANDIDATES = (
    "seq IN (SELECT c.seq FROM job c INDEXED BY job_candidate "
    "WHERE c.concurrency_key = new.concurrency_key AND c.state = 'pending' AND c.parked = 0"
)
TAKEN = f"EXISTS (SELECT 1 FROM job WHERE {_KEYED} AND state = 'processing')"
_FIRST = (
    f"(SELECT f.seq FROM job f INDEXED BY job_keyed WHERE f.{_WAITS.replace('AND state', 'AND f.state')} "
    "AND f.queue = {0}.queue AND f.type = {0}.type AND NOT f.held ORDER BY f.rank DESC, f.seq LIMIT 1)"
)

_ENTERS = "INSERT INTO lane SELECT new.queue, new.type, 1 WHERE {0} ON CONFLICT DO UPDATE SET ready = ready + 1"
_LEAVES = "INSERT INTO lane SELECT old.queue, old.type, -1 WHERE {0} ON CONFLICT DO UPDATE SET ready = ready - 1"
STEP_BACK = (
    f"UPDATE job SET parked = 1 WHERE {{0}} AND {_CANDIDATES} AND c.queue = new.queue AND c.type = new.type) "
    f"AND (seq IS NOT {_FIRST.format('new')} OR {TAKEN})"
)
STEPS_FORWARD = (
    f"new.concurrency_key IS NOT NULL AND parked = 1 AND NOT {TAKEN} "
    f"AND seq IN (SELECT {_FIRST.format('lane')} FROM lane)"
)
_COMES = "new.concurrency_key IS NOT NULL AND new.state = 'pending' AND old.state <> 'pending'"

# What the triggers of `ledger.tables` do for lanes and keys, as statements.
ON_NEW = [
    _ENTERS.format(_READY.format("new")),
    # one comes to wait: it stands in the index if the key is free and it is the first of its lane
    STEP_BACK.format("new.concurrency_key IS NOT NULL AND new.state = 'pending'"),
]
ON_MOVE = [
    _ENTERS.format(f"{_READY.format('new')} AND NOT ({_READY.format('old')})"),
    _LEAVES.format(f"{_READY.format('old')} AND NOT ({_READY.format('new')})"),
    f"UPDATE job SET parked = 0 WHERE {_COMES} AND seq = {_FIRST.format('new')} AND parked = 1 AND NOT {TAKEN}",
    STEP_BACK.format(_COMES),
    # one begins to run: the candidates of all lanes step back
    "UPDATE job SET parked = 1 WHERE new.concurrency_key IS NOT NULL AND new.state = 'processing' "
    f"AND old.state = 'pending' AND {_CANDIDATES})",
    # one has run, or a candidate is gone: the first of each lane steps forward
    "UPDATE job SET parked = 0 WHERE old.state <> new.state AND new.state <> 'processing' "
    f"AND (old.state = 'processing' OR {_READY.format('old')}) AND {STEPS_FORWARD}",
]
ON_PARKED = [
    _ENTERS.format(f"{_READY.format('new')} AND NOT ({_READY.format('old')})"),
    _LEAVES.format(f"{_READY.format('old')} AND NOT ({_READY.format('new')})"),
]
ON_GONE = [
    f"UPDATE lane SET ready = ready - 1 WHERE {_READY.format('old')} AND queue = old.queue AND type = old.type",
]
