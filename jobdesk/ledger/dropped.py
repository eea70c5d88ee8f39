"""Drop folders that were added by hand, and files that were worked on and stay where they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jobdesk.core.text import to_json
from jobdesk.ledger.database import Ledger, Tx

# ── folders ──


def added(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """What was said of each folder that was added, by path, in the words of the settings."""
    return {path: json.loads(rule) for path, rule in ledger.rows("SELECT path, rule FROM drop_folder ORDER BY path")}


def add(tx: Tx, path: str, rule: Mapping[str, Any], user: str) -> bool:
    """Add a folder. False: it was added before."""
    done = tx.run(
        "INSERT INTO drop_folder (path, rule, user, added_at, changed_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (path, to_json(dict(rule)), user, tx.now, tx.now),
    )
    changed(tx)
    return bool(done)


def change(tx: Tx, path: str, rule: Mapping[str, Any]) -> bool:
    """Say something else of a folder that was added. False: it was not."""
    done = tx.run("UPDATE drop_folder SET rule = ?, changed_at = ? WHERE path = ?", (to_json(dict(rule)), tx.now, path))
    changed(tx)
    return bool(done)


def remove(tx: Tx, path: str) -> bool:
    """Forget a folder that was added. False: it was not."""
    done = tx.run("DELETE FROM drop_folder WHERE path = ?", (path,))
    changed(tx)
    return bool(done)


def changed(tx: Tx) -> None:
    """Whoever watches folders is to look what is wanted of them."""
    tx.run("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'folders'")
    tx.wakes = True


def generation(ledger: Ledger) -> int:
    """A number that rises whenever something is wanted of folders: one is added, changed, removed, to be scanned."""
    row = ledger.row("SELECT value FROM meta WHERE key = 'folders'")
    return int(row[0]) if row else 0


def with_open_files(ledger: Ledger) -> dict[str, bool]:
    """Folders that have files at work; whether some of these are copies, whose originals stay where they are."""
    rows = ledger.rows(
        "SELECT folder, max(coalesce(source = 'keep', 0)) FROM intake INDEXED BY intake_open "
        "WHERE finished_at IS NULL AND state IN ('queued', 'duplicate', 'rejected') GROUP BY folder"
    )
    return {folder: bool(kept) for folder, kept in rows}


def reported(ledger: Ledger) -> list[str]:
    """Folders that are or were watched, and are not forgotten."""
    return [row[0] for row in ledger.rows("SELECT path FROM folder")]


def forget(tx: Tx, path: str) -> None:
    """Nobody watches this folder any more: how it did, and what was seen in it; what was taken in stays recorded."""
    tx.run("DELETE FROM folder WHERE path = ?", (path,))
    tx.run(
        "DELETE FROM intake WHERE folder = ? AND state IN ('waiting', 'settling', 'claimed', 'ignored')",
        (path,),
    )


def hashes(ledger: Ledger, folder: str) -> frozenset[str]:
    """Of all content that the folder has at work or done."""
    rows = ledger.rows("SELECT sha256 FROM intake WHERE folder = ? AND state IN ('queued', 'done')", (folder,))
    return frozenset(row[0] for row in rows if row[0])


# ── kept files ──


def kept(ledger: Ledger, folder: str) -> dict[bytes, tuple[int, ...]]:
    """How each file looked when it was worked on, by path."""
    rows = ledger.rows("SELECT path, look FROM kept_file WHERE folder = ?", (folder,))
    return {path: tuple(json.loads(look)) for path, look in rows}


def kept_content(tx: Tx, folder: str, path: bytes) -> str | None:
    """The hash of the content that this file had when it was worked on."""
    row = tx.row("SELECT sha256 FROM kept_file WHERE folder = ? AND path = ?", (folder, path))
    return row[0] if row else None


def keep(tx: Tx, folder: str, files: Sequence[tuple[bytes, Sequence[int], str | None]]) -> None:
    """Remember that these files (path, look, hash) were taken in as they are."""
    tx.many(
        "INSERT OR REPLACE INTO kept_file (folder, path, look, sha256) VALUES (?, ?, ?, ?)",
        [(folder, path, to_json(list(look)), sha256) for path, look, sha256 in files],
    )
