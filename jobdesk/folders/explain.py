"""What would happen to a file, rule by rule, without touching it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from jobdesk.core.durations import short, size
from jobdesk.core.names import shown
from jobdesk.folders.claim import CannotRead, Ready, inspect
from jobdesk.folders.content import HEAD_BYTES, detect
from jobdesk.folders.door import Door, user_name
from jobdesk.folders.rules import FolderRule, ignored_name
from jobdesk.folders.scan import Look, look_of

Outcome = Literal["accepted", "waiting", "ignored", "rejected", "duplicate"]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what it says of the file; `passed` is None where it could not be asked."""

    rule: str
    passed: bool | None
    said: str

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "passed": self.passed, "said": self.said}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of the file; the first check that was not passed decides it."""

    outcome: Outcome
    checks: tuple[Check, ...]
    text: str
    detected_type: str | None = None
    size: int | None = None


class _Asked:
    """The checks so far, and the first that failed."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.outcome: Outcome = "accepted"
        self.why: str | None = None

    def ask(self, rule: str, why: str | None, good: str, outcome: Outcome = "ignored") -> bool:
        """Note a check; `why` says what is wrong, None that nothing is."""
        self.checks.append(Check(rule, why is None, good if why is None else why))
        if why is not None and self.why is None:
            self.outcome, self.why = outcome, why
        return why is None

    def skip(self, *rules: str) -> None:
        self.checks += [Check(rule, None, "not asked: the file cannot be looked at") for rule in rules]


def explain(
    rule: FolderRule,
    file: Path,
    known: frozenset[str] = frozenset(),
    *,
    kept: Mapping[bytes, tuple[int, ...]] = MappingProxyType({}),
    apart: frozenset[bytes] = frozenset(),
    misfit: str | None = None,
) -> Explanation:
    """Say whether a folder's rule takes this file, and why.

    Args:
        known: hashes whose content was worked on; the file is hashed only if there are any.
        kept: how files that stay in the folder looked when they were worked on.
        apart: real paths of other drop folders.
        misfit: why its flow or job type can be given no file.
    """
    door, asked = Door(rule), _Asked()
    door.apart = apart
    root, path = os.path.realpath(os.fsencode(rule.path)), os.path.abspath(os.fsencode(file))
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    inside = path.startswith(root.rstrip(b"/") + b"/")
    below = path[len(root.rstrip(b"/")) + 1 :] if inside else os.path.basename(path)
    _ask_names(asked, door, below)
    status: os.stat_result | None = None
    try:
        status = os.lstat(path)
    except OSError as error:
        there = "does not exist" if isinstance(error, FileNotFoundError) else str(error.strerror)
        asked.ask("exists", there, "", "ignored")
        asked.skip("kind", "owner", "size", "content", "whole", "duplicate")
        return _made(asked, rule, below, inside, None, None)
    if inside:
        _ask_the_folders(asked, door, root, below)
    if kept.get(below) == tuple(look_of(status)):
        asked.ask("kept", "it was worked on as it is, and stays where it is", "", "duplicate")
    kind = _ask_the_file(asked, door, path, status, known)
    if misfit is not None:
        asked.ask("pipeline", misfit, "", "waiting")
    return _made(asked, rule, below, inside, status, kind)


def _ask_names(asked: _Asked, door: Door, below: bytes) -> None:
    rule, name = door.rule, os.path.basename(below)
    corner = "it lies in a corner of jobdesk's own" if door.corner(below) else None
    asked.ask("place", corner, "it lies in no corner of jobdesk's own")
    depth = below.count(b"/")
    deep = f"it lies {depth} folders deep, and the folder is looked into {rule.levels} deep"
    if not rule.levels:
        deep = "the folder is not recursive"
    asked.ask("depth", deep if depth > rule.levels else None, f"{depth} of at most {rule.levels} folders deep")
    names = [(part, ignored_name(part)) for part in below.split(b"/")]
    bad = next((f"'{shown(part)}' is a {why}" for part, why in names if why), None)
    asked.ask("name", bad, "no part of its path is hidden, temporary or a system's")
    patterns = ", ".join(rule.patterns)
    why = door.name(below) if bad is None else None
    fits = f"it fits none of the patterns {patterns}" if why == "fits no pattern" else None
    asked.ask("patterns", fits, f"it fits one of {patterns}")
    if rule.exclude:
        out = f"it is excluded by one of {', '.join(rule.exclude)}" if why == "excluded by a pattern" else None
        asked.ask("exclude", out, f"it fits none of {', '.join(rule.exclude)}")
    if why is not None and fits is None and why != "excluded by a pattern":
        asked.ask("marker", f"'{shown(name)}' is a {why}" if why == "lock file" else f"it {why}", "")


def _ask_the_folders(asked: _Asked, door: Door, root: bytes, below: bytes) -> None:
    """Whether each folder on the way to a file is looked into; how deep it lies is asked before."""
    device, parts, why = os.stat(root).st_dev, below.split(b"/")[:-1], None
    for depth in range(1, min(len(parts), door.rule.levels) + 1):
        path = b"/".join(parts[:depth])
        said = door.folder(path, os.lstat(os.path.join(root, path)), device, depth, root)
        if said is not None and why is None:
            why = f"the folder '{shown(path)}' is not looked into: {said}"
    if parts:
        asked.ask("folders", why, "every folder on the way to it is looked into")


def _ask_the_file(asked: _Asked, door: Door, path: bytes, status: os.stat_result, known: frozenset[str]) -> str | None:
    rule = door.rule
    kind = door.kind(status)
    odd = kind is not None and not kind.startswith("belongs to")
    if not asked.ask("kind", f"it is not an ordinary file but a {kind}" if odd else None, "an ordinary file"):
        asked.skip("owner", "size", "content", "whole", "duplicate")
        return None
    owner = user_name(status.st_uid)
    asked.ask("owner", f"it {kind}, whose files are not taken" if kind else None, f"it belongs to {owner}")
    refused = door.size(status.st_size)
    empty = f"it is empty and has {short(rule.empty_grace_s)} to be filled; then it is rejected as empty"
    if status.st_size == 0:
        asked.ask("size", empty, "", "waiting")
    else:
        asked.ask("size", refused[1] if refused else None, size(status.st_size), "rejected")
    try:
        found, head = inspect(path, look_of(status)), _head(path)
    except (CannotRead, OSError) as error:
        said = f"cannot be read ({getattr(error, 'strerror', None) or error}); tried again every {short(rule.rescan_s)}"
        asked.ask("readable", said, "", "waiting")
        asked.skip("content", "whole", "duplicate")
        return None
    media = detect(head)
    wrong = door.content(media)
    asked.ask("content", wrong[1] if wrong else None, f"{media} by its content", "rejected")
    asked.ask("whole", _unfinished(door, path, found), _whole(rule), "waiting")
    if known:
        same = _hash(path, look_of(status)) in known
        asked.ask("duplicate", "the same content was taken before" if same else None, "its content is new", "duplicate")
    return media


def _unfinished(door: Door, path: bytes, found: Ready) -> str | None:
    barred = door.barred(path)
    if barred is not None:
        return barred[1]
    if found is Ready.BUSY:
        return "a program has it open for writing: it is waited for until that closes it"
    return "its end is missing: it may still be on its way" if found is Ready.CUT else None


def _whole(rule: FolderRule) -> str:
    changed = "its size has not changed" if rule.stable == "size" else "it has not changed"
    return f"nothing writes it; it is taken once {changed} for {short(rule.settle_s)}"


def _made(
    asked: _Asked, rule: FolderRule, below: bytes, inside: bool, status: os.stat_result | None, media: str | None
) -> Explanation:
    name = shown(below)
    where = "" if inside else f"{name} does not lie in {shown(os.fsencode(rule.path))}; if it did: "
    about = f" ({size(status.st_size)}{', ' + media + ' by its content' if media else ''})" if status else ""
    if asked.why is None:
        text = f"{name}{about} would be taken as a job {rule.pipeline} once it rested for {short(rule.settle_s)}"
        becomes = {"delete": "is deleted", "keep": "stays where it is", "archive": "goes to _done"}[rule.source]
        again = "; the same content as an earlier file's is skipped" if rule.duplicates == "skip" else ""
        text += f". Afterwards it {becomes}{again}."
    else:
        verb = {"ignored": "is left alone", "rejected": "is rejected", "duplicate": "is skipped", "waiting": "waits"}
        text = f"{name}{about} {verb[asked.outcome]}: {asked.why}."
    size_ = status.st_size if status else None
    return Explanation(asked.outcome, tuple(asked.checks), where + text, media, size_)


def _head(path: bytes) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(fd, HEAD_BYTES)
    finally:
        os.close(fd)


def _hash(path: bytes, look: Look) -> str | None:
    import hashlib

    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest if look_of(os.fstat(file.fileno())) == look else None
