"""What would happen to a file, in words, without touching it."""

import os
import stat
from pathlib import Path

from jobdesk.core.durations import short, size
from jobdesk.core.names import shown
from jobdesk.folders.claim import CannotRead, Ready, inspect
from jobdesk.folders.content import HEAD_BYTES, detect
from jobdesk.folders.rules import DONE, OWN, REJECTED, FolderRule, Patterns, ignored_name
from jobdesk.folders.scan import look_of


def explain(rule: FolderRule, file: Path) -> str:
    """Sentences that say whether a folder's rule takes this file, and why."""
    root, path = os.path.realpath(os.fsencode(rule.path)), os.path.abspath(os.fsencode(file))
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    if not path.startswith(root.rstrip(b"/") + b"/"):
        return f"{shown(path)} does not lie in {shown(root)}: if it did, {_by_name(rule, os.path.basename(path))}."
    below = path[len(root.rstrip(b"/")) + 1 :]
    if below.split(b"/")[0] in (OWN, DONE, REJECTED):
        return f"{shown(below)} is left alone: it lies in a corner of jobdesk's own."
    if b"/" in below and not rule.recursive:
        return f"{shown(below)} is left alone: the folder is not recursive."
    for part in below.split(b"/"):
        if why := ignored_name(part):
            return f"{shown(below)} is left alone: '{shown(part)}' is a {why}."
    if not Patterns(rule.patterns).fit(below, os.path.basename(below)):
        return f"{shown(below)} is left alone: it fits none of the patterns {', '.join(rule.patterns)}."
    return _by_content(rule, path, below)


def _by_name(rule: FolderRule, name: bytes) -> str:
    if why := ignored_name(name):
        return f"it would be left alone, for it is a {why}"
    if not Patterns(rule.patterns).fit(name, name):
        return f"it would be left alone, for it fits none of the patterns {', '.join(rule.patterns)}"
    return f"it would be taken once it rested for {short(rule.settle_s)}, as a job {rule.pipeline}"


def _by_content(rule: FolderRule, path: bytes, below: bytes) -> str:
    name = shown(below)
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return f"{name} is left alone: it is not an ordinary file."
        found = inspect(path, look_of(status))
        with open(path, "rb") as opened:
            kind = detect(opened.read(HEAD_BYTES))
    except CannotRead as error:
        return f"{name} is left alone: it cannot be read ({error}); it is tried again every {short(rule.rescan_s)}."
    except FileNotFoundError:
        return f"{name} does not exist."
    except OSError as error:
        return f"{name} is left alone: it cannot be looked at ({error.strerror})."
    said = [f"{name} ({size(status.st_size)}, {kind} by its content) would be taken as a job {rule.pipeline}"]
    if status.st_size == 0:
        return f"{name} is empty: it waits {short(rule.empty_grace_s)} to be filled, and is then rejected as empty."
    said.append(f"once it rested for {short(rule.settle_s)}")
    if found is Ready.BUSY:
        said.append("and the program that has it open for writing closed it")
    source = "is deleted" if rule.source == "delete" else "goes to _done"
    again = "; the same content as an earlier file's is skipped" if rule.duplicates == "skip" else ""
    return " ".join(said) + f". Afterwards it {source}{again}."
