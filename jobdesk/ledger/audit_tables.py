"""The tables of the audit log: what people did, and for a day what it takes to undo it.

`audit` and `audit_part` are append-only, by trigger: nothing in jobdesk removes a row of them, ever (an action is a
row of some 200 bytes and 17 bytes a job). `undo` is not: it goes after a day, when it has grown too large, and when
what it holds has been put back.
"""

UNDOING = "EXISTS (SELECT 1 FROM meta WHERE key = 'undoing')"
"""True while `ledger.undoing` puts states back, in its transaction only: a job may then return to where it was."""

_REFUSED = "BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;\n"
_KEPT = "".join(
    f"CREATE TRIGGER {table}_{word}d BEFORE {word.upper()} ON {table} {_REFUSED}"
    for table in ("audit", "audit_part")
    for word in ("update", "delete")
)
# INSERT OR REPLACE takes a row away without a DELETE that a trigger hears of
_KEPT += "".join(
    f"CREATE TRIGGER {table}_replaced BEFORE INSERT ON {table} "
    f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {_REFUSED}"
    for table, same in (("audit", "id = new.id"), ("audit_part", "audit = new.audit AND part = new.part"))
)

MIGRATION = f"""
-- An action of a person or a program on jobs, queues, schedules, folders, flows, settings or the ledger itself.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL, action TEXT NOT NULL,
  target TEXT,                              -- the queue, schedule, flow, folder or file
  query TEXT,                               -- which jobs were meant
  undoes INTEGER,                           -- the action that this one takes back
  user TEXT NOT NULL, surface TEXT NOT NULL, command TEXT, terminal TEXT, pid INTEGER NOT NULL, host TEXT NOT NULL
);
-- What one transaction of an action did: of many jobs there are several.
CREATE TABLE audit_part (
  audit INTEGER NOT NULL, part INTEGER NOT NULL,
  jobs INTEGER NOT NULL, first TEXT, last TEXT, ids BLOB,   -- how many, between which ids; all of them, compressed
  before TEXT, after TEXT,
  PRIMARY KEY (audit, part)
);
{_KEPT}
-- The rows that a part changed or removed, compressed.
CREATE TABLE undo (
  audit INTEGER NOT NULL, part INTEGER NOT NULL, at REAL NOT NULL, bytes INTEGER NOT NULL, changes BLOB NOT NULL,
  PRIMARY KEY (audit, part)
);
"""
