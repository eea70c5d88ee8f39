"""What becomes of files that were read: refused, a duplicate, or a job; recorded with it in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core.errors import JobdeskError
from jobdesk.core.names import shown
from jobdesk.folders.claim import Content
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import dropped, intake
from jobdesk.ledger.database import Tx

Submitted = Sequence[tuple[str, str] | JobdeskError]


@dataclass(slots=True)
class Outcome:
    """What was recorded; what is not in it stays claimed and is tried again."""

    recorded: list[Content] = field(default_factory=list)
    unneeded: list[Content] = field(default_factory=list)
    """Kept files whose content was worked on under this very name."""
    trouble: str | None = None


def record(
    tx: Tx, rule: FolderRule, contents: Sequence[Content], submit: Callable[[Sequence[Content]], Submitted]
) -> Outcome:
    """Record files that were read. `submit` stores the jobs of those that are to be worked on."""
    outcome, folder = Outcome(), str(rule.path)
    before = intake.recorded(tx, [content.claim.id for content in contents])
    new = [content for content in contents if content.claim.id not in before]
    outcome.recorded += [content for content in contents if content.claim.id in before]
    new = _changed(tx, folder, new, outcome)
    skip = rule.duplicates == "skip"
    known = intake.same_content(tx, folder, [c.sha256 for c in new if c.sha256]) if skip else {}
    taken: list[tuple[intake.Owned, str]] = []
    work: list[Content] = []
    twins: list[Content] = []
    firsts: dict[str, Content] = {}
    for content in new:
        if content.refused is not None:
            taken.append(_taken(content, rule, "rejected", *content.refused))
        elif skip and content.sha256 in known:
            same = known[content.sha256]
            taken.append(_duplicate(content, rule, same.path, same.job))
        elif skip and content.sha256 in firsts:
            twins.append(content)
        else:
            firsts[content.sha256 or ""] = content
            work.append(content)
    jobs: dict[str, str] = {}
    for content, stored in zip(work, submit(work) if work else (), strict=True):
        if isinstance(stored, JobdeskError):
            outcome.trouble = f"{shown(content.claim.path)} cannot be submitted: {stored}"
            continue
        jobs[content.sha256 or ""], flow = stored
        taken.append(_taken(content, rule, "queued", job=stored[0], flow=flow))
    for content in twins:
        if content.sha256 in jobs:
            first = firsts[content.sha256 or ""]
            taken.append(_duplicate(content, rule, first.claim.path, jobs[content.sha256 or ""]))
    if taken:
        intake.take(tx, taken)
    done = {file.id for file, _ in taken}
    outcome.recorded += [content for content in new if content.claim.id in done]
    _remember(tx, folder, [*outcome.recorded, *outcome.unneeded])
    return outcome


def _changed(tx: Tx, folder: str, contents: Sequence[Content], outcome: Outcome) -> list[Content]:
    """All but copies of what was worked on under this name before."""
    changed: list[Content] = []
    for content in contents:
        one, sha256 = content.claim, content.sha256
        same = one.kept and sha256 is not None and sha256 == dropped.kept_content(tx, folder, one.path)
        (outcome.unneeded if same else changed).append(content)
    return changed


def _remember(tx: Tx, folder: str, contents: Sequence[Content]) -> None:
    looks = [(c.claim.path, c.claim.source, c.sha256) for c in contents if c.claim.kept]
    dropped.keep(tx, folder, [(path, look, sha256) for path, look, sha256 in looks if look is not None])


def _duplicate(content: Content, rule: FolderRule, path: bytes, job: str | None) -> tuple[intake.Owned, str]:
    said = f"the same content as {shown(path)}"
    return _taken(content, rule, "duplicate", "duplicate", said, duplicate_of=job)


def _taken(
    content: Content, rule: FolderRule, state: str, reason: str | None = None, message: str | None = None, **more: Any
) -> tuple[intake.Owned, str]:
    one = content.claim
    file = intake.Owned(
        id=one.id,
        folder=str(rule.path),
        path=one.path,
        state=state,
        first_seen=one.first_seen,
        claimed_at=one.claimed_at,
        sha256=content.sha256,
        size=content.size,
        detected_type=content.detected_type,
        reason=reason,
        message=message,
        source="keep" if one.kept else "archive" if rule.source == "keep" else rule.source,
        **more,
    )
    return file, shown(one.path)
