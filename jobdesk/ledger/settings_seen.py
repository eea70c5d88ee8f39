"""The settings as they were last seen, without secrets: a change of jobdesk.toml is an action too."""

import json
import os
import pwd
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobdesk.core.redaction import shown
from jobdesk.ledger.database import Ledger, Tx

_KEY = "settings_seen"


@dataclass(frozen=True, slots=True)
class Found:
    """What the file says, by key, secrets masked; and whose file it is."""

    settings: dict[str, Any]
    owner: str


def read(file: Path, mask: Callable[[Any], Any]) -> Found | None:
    """What jobdesk.toml says now; None if it cannot be read. A missing one says nothing.

    Args:
        mask: takes secrets out that only job types declare; those by their names and shapes go without it.
    """
    try:
        with file.open("rb") as stream:
            uid = os.fstat(stream.fileno()).st_uid
            text = tomllib.load(stream)
    except FileNotFoundError:
        return Found({}, str(os.getuid()))
    except (OSError, ValueError):
        return None
    try:
        owner = pwd.getpwuid(uid).pw_name
    except KeyError:
        owner = str(uid)
    plain = json.loads(json.dumps(shown(mask(text)), default=str))
    return Found(dict(_flat(plain)), owner)


def known(ledger: Ledger | Tx) -> dict[str, Any] | None:
    """What it said when it was last read; None if it never was."""
    row = ledger.row("SELECT value FROM meta WHERE key = ?", (_KEY,))
    found: dict[str, Any] | None = None if row is None else json.loads(row[0])
    return found


def remember(tx: Tx, settings: Mapping[str, Any]) -> None:
    """Note what it says now."""
    tx.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (_KEY, json.dumps(dict(settings))),
    )


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keys that differ, before and after; None stands for a key that is not there."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
