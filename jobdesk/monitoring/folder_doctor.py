"""Whether folders are there and may be written, claims have their records, and files are where the ledger says."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobdesk.ledger import checks, intake, mending
from jobdesk.monitoring.finding import Finding, Patient, put_right, some

RECONCILED_S = 180.0
"""A consumer brings claims and records together at least this often."""


def missing(patient: Patient) -> Finding:
    """Folders of the home, drop folders, the storage."""
    wanted = _all(patient)
    gone = [folder for folder in wanted if not folder.is_dir()]
    if not gone:
        return Finding("folders", True, "every folder is there")
    if patient.fix:
        for folder in gone:
            # one elsewhere may be a disk that is not mounted: making it would hide that
            if folder.is_relative_to(patient.home) and not os.path.lexists(folder):
                folder.mkdir(mode=0o700, parents=True)
    left = [folder for folder in gone if not folder.is_dir()]
    shown = ", ".join(map(str, left or gone))
    if not left:
        return Finding("folders", True, f"made what was missing: {shown}", fixed=True)
    return Finding(
        "folders", False, f"not a folder: {shown}", "nothing is taken from it, and nothing can be put there",
        "make it, mount its disk, or remove it from the settings",
    )  # fmt: skip


def writable(patient: Patient) -> Finding:
    """Whether files can be put into each folder."""
    kept = {folder.path for folder in patient.watched if folder.kept and os.access(folder.path, os.R_OK | os.X_OK)}
    wanted = [folder for folder in _all(patient) if folder.is_dir() and folder not in kept]
    shut = [folder for folder in wanted if not os.access(folder, os.W_OK | os.X_OK)]
    if not shut:
        return Finding("writable", True, "every folder may be written")
    read_only = os.statvfs(shut[0]).f_flag & os.ST_RDONLY
    mend = "mount its disk so that it may be written" if read_only else f"`chmod u+rwx {shut[0]}`, or as its owner"
    return Finding(
        "writable", False, f"{some(len(shut), 'folder')} cannot be written: {', '.join(map(str, shut))}",
        "files in it are not taken, and what jobs make has no place", mend,
    )  # fmt: skip


def claims(patient: Patient) -> Finding:
    """Files that a folder has taken out and that no record knows, or whose record says that they have ended."""
    left: list[Path] = []
    for folder in patient.watched:
        try:
            there = [path for path in folder.claimed.iterdir() if path.is_file()]
        except OSError:
            continue
        known = intake.known(patient.ledger, [path.name for path in there])
        for path in there:
            record = known.get(path.name)
            is_open = record is not None and record.finished_at is None
            if not is_open and (not patient.consumers or patient.now - path.stat().st_ctime > RECONCILED_S):
                left.append(path)
    if not left:
        return Finding("claims", True, "every file that was taken in has its record")
    return Finding(
        "claims", False, f"{some(len(left), 'file')} taken out of drop folders by a consumer that died: {left[0]}",
        "they lie there and nothing happens with them",
        "start `jobdesk --consumer`: it takes them up again" if not patient.consumers
        else "see `jobdesk folders list` for why they are not taken up",
    )  # fmt: skip


def files(patient: Patient) -> Finding:
    """Files of assets: originals and renditions."""
    gone: list[tuple[str, str]] = []
    for part in checks.asset_records(patient.ledger):
        for _, name, record in part:
            gone += [(name, path) for path in _paths(json.loads(record)) if not os.path.lexists(path)]
    if not gone:
        return Finding("files", True, "every file of an asset is there")
    name, path = gone[0]
    return Finding(
        "files", False, f"{some(len(gone), 'file')} of assets are gone: {path} of {name} first",
        "the library promises what it does not have",
        "put them back from a backup of the storage, or drop the picture again",
    )  # fmt: skip


def artifacts(patient: Patient) -> Finding:
    """Files that jobs made and that are gone; those of a staging folder go in order, and so do those of nobody."""
    gone: list[tuple[int, str]] = []
    for part in checks.made_files(patient.ledger):
        gone += [(job, path) for job, path in part if not os.path.lexists(path)]
    lost = [one for one in gone if "/.staging/" not in one[1]]
    if not lost:
        return Finding("artifacts", True, "every file that jobs made is there, or was removed in order")
    found = Finding(
        "artifacts", False, f"{some(len(lost), 'file')} that jobs made are gone: {lost[0][1]} first",
        "pages of jobs name files that are not there",
    )  # fmt: skip

    def mend() -> None:
        for start in range(0, len(lost), mending.BATCH):
            with patient.ledger.write() as tx:
                mending.forget_artifacts(tx, lost[start : start + mending.BATCH])

    return put_right(found, patient, mend)


def _all(patient: Patient) -> list[Path]:
    wanted = [*patient.own, *(folder.path for folder in patient.watched)]
    if patient.storage is not None:
        wanted.append(patient.storage)
    return list(dict.fromkeys(wanted))


def _paths(record: Any) -> Iterator[str]:
    """Every absolute path that a record of an asset names."""
    if isinstance(record, dict):
        for key, value in record.items():
            if key == "path" and isinstance(value, str) and value.startswith(os.sep):
                yield value
            else:
                yield from _paths(value)
    elif isinstance(record, list):
        for value in record:
            yield from _paths(value)
