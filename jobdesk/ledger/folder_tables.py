"""The tables of drop folders that were added by hand, and of files that stay where they were dropped."""

MIGRATION = """
-- Drop folders beside those of the settings: `rule` is what the settings would say of it, as JSON.
CREATE TABLE drop_folder (
  path TEXT PRIMARY KEY, rule TEXT NOT NULL, user TEXT, added_at REAL NOT NULL, changed_at REAL NOT NULL
) WITHOUT ROWID;

-- What a folder with source = "keep" has worked on: a file that looks like this is not taken again.
CREATE TABLE kept_file (
  folder TEXT NOT NULL, path BLOB NOT NULL, look TEXT NOT NULL, sha256 TEXT,
  PRIMARY KEY (folder, path)
) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('folders', '0');

-- What becomes of a file at its end, as its folder said when it was taken in: archive, delete or keep.
ALTER TABLE intake ADD COLUMN source TEXT;
"""
