"""A drop folder as text, a file of one, and what each rule makes of a file. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobdesk.core.clock import instant
from jobdesk.core.durations import short, size
from jobdesk.core.job import State
from jobdesk.folders.explain import Explanation
from jobdesk.folders.rejected import Refused
from jobdesk.folders.rules import FolderRule
from jobdesk.tui.format import Spans, ago, clean, clock_time, fit, home_path, number, passed, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.job_pages import field, fields, heading

Row = Mapping[str, Any]
"""A folder or a file, as `ledger.folders` gives it."""

_SIGNS = {
    "done": State.COMPLETED, "rejected": State.FAILED, "duplicate": State.CANCELLED, "queued": State.PENDING,
    "running": State.PROCESSING, "settling": State.SCHEDULED, "waiting": State.SCHEDULED, "claimed": State.SCHEDULED,
}  # fmt: skip
_TONES = {
    "done": "ok", "rejected": "bad", "duplicate": "muted", "queued": "text", "running": "run", "settling": "later",
    "waiting": "later", "claimed": "later",
}  # fmt: skip
_AFTERWARDS = {"archive": "moved to _done", "delete": "deleted", "keep": "left where it is"}
_OUTCOMES = {"accepted": "ok", "waiting": "later", "ignored": "warn", "rejected": "bad", "duplicate": "warn"}
_NOTICED = {
    "watch": "Watched: what is dropped is noticed at once.",
    "scan": "Watched: it is looked through again and again.",
}
_FROM_OUTSIDE = ("settling", "waiting")
"""States of a file that nobody has taken yet."""


def state_of(file: Row, glyphs: Glyphs) -> tuple[str, str]:
    """Its sign and word, and their tone."""
    word = str(file["state"])
    sign = glyphs.states[_SIGNS[word]] if word in _SIGNS else glyphs.dot
    return f"{sign} {word}", _TONES.get(word, "muted")


def watched(status: Row | None) -> tuple[str, str]:
    """How changes in a folder are noticed, in a word or two, and the tone."""
    if status is None:
        return "not yet", "muted"
    if status["mode"] == "offline":
        return "offline", "warn"
    return {"watch": "at once", "scan": "by scan"}.get(str(status["mode"]), str(status["mode"])), "muted"


def folder_page(
    rule: FolderRule | None, status: Row | None, lately: Sequence[Row], width: int, now: float, glyphs: Glyphs
) -> list[Spans]:  # fmt: skip
    """What a folder is told to do, how it does, and what it refused lately."""
    lines: list[Spans] = []
    word, tone = watched(status)
    if status is None:
        said, tone = "No consumer has worked here yet, so nobody watches it.", "muted"
    elif status["message"]:
        said, tone = f"{word.capitalize()}: {clean(str(status['message']))}", "warn" if tone == "muted" else tone
    else:
        said, tone = _NOTICED.get(str(status["mode"]), word), "ok"
    lines += [((line, tone),) for line in wrap(said, width)]
    lines.append(())
    if rule is None:
        lines.append((("It is a drop folder no more: its files stay.", "muted"),))
    else:
        lines += _rule(rule, width, glyphs)
    if status is not None and status["scanned_at"]:
        at = instant(str(status["scanned_at"]))
        took = f", in {short(status['scan_ms'] / 1000)}" if (status["scan_ms"] or 0) >= 1 else ""
        lines += fields("looked", f"{passed(at, now)}{took}", width)
    if status is not None and status["ignored"]:
        lines.append(field("ignored", number(status["ignored"])))
    lines += [(), heading("Rejected lately")]
    for file in lately:
        since = ago(instant(str(file["finished_at"] or file["first_seen"])), now)
        name = fit(clean(str(file["path"])), max(8, width - 7), more=glyphs.more)
        lines.append(((name + "  ", "text"), (f"{since:>5}", "muted")))
        lines += [((f"  {line}", "muted"),) for line in wrap(_why(file), max(10, width - 2))[:2]]
    if not lately:
        lines.append((("Nothing was rejected.", "muted"),))
    return lines


def _rule(rule: FolderRule, width: int, glyphs: Glyphs) -> Iterator[Spans]:
    yield from fields("becomes", rule.pipeline, width)
    takes = ", ".join(rule.patterns) + (f"  but not {', '.join(rule.exclude)}" if rule.exclude else "")
    yield from fields("takes", "every name" if takes == "*" else takes, width)
    if rule.types:
        yield from fields("types", ", ".join(rule.types), width)
    if rule.min_bytes or rule.max_bytes:
        most = f"at most {size(rule.max_bytes)}" if rule.max_bytes else ""
        least = f"at least {size(rule.min_bytes)}" if rule.min_bytes else ""
        yield from fields("sizes", ", ".join(part for part in (least, most) if part), width)
    deep = "and all folders in it" if rule.levels >= 32 else f"and {rule.levels} folders deep" if rule.levels else ""
    yield from fields("looks in", f"the folder {deep}".strip() if deep else "the folder alone", width)
    yield from fields("settled", f"{short(rule.settle_s)} after its last change", width)
    for ending, said in ((rule.marker, "once {} lies beside it"), (rule.lock, "not while {} lies beside it")):
        if ending:
            yield from fields("", said.format(f"NAME{ending}"), width)
    yield from fields("then", _AFTERWARDS[rule.source], width)
    again = "left out" if rule.duplicates == "skip" else "worked on again"
    yield from fields("again", f"the same content is {again}", width)


def file_page(file: Row, width: int, now: float, user_home: str, glyphs: Glyphs) -> list[Spans]:
    """What became of a file, why, and where it is."""
    said, tone = state_of(file, glyphs)
    seen_at = instant(str(file["first_seen"]))
    ended_at = instant(str(file["finished_at"])) if file["finished_at"] else None
    lines: list[Spans] = [((said, tone), (f"  {passed(ended_at or seen_at, now)}", "text"))]
    if why := _why(file):
        lines += [((line, tone if tone in ("bad", "later") else "muted"),) for line in wrap(why, width)]
    lines.append(())
    lines += fields("file", clean(str(file["path"])), width)
    lines += fields("folder", home_path(clean(str(file["folder"])), user_home), width)
    if file["moved_to"]:
        inside = clean(str(file["moved_to"])).removeprefix(str(file["folder"]).rstrip("/") + "/")
        lines += fields("lies in", home_path(inside, user_home), width)
    lines.append(field("size", size(file["size"])))
    if file["sha256"]:
        lines += fields("sha256", f"{str(file['sha256'])[:16]}{glyphs.more}", width, "muted")
    lines.append(field("seen", clock_time(seen_at, now)))
    if ended_at is not None:
        lines.append(field("ended", f"{clock_time(ended_at, now)}  {glyphs.dot}  after {short(ended_at - seen_at)}"))
    for label, key in (("job", "job"), ("flow", "flow"), ("same as", "duplicate_of")):
        if file[key]:
            lines += fields(label, clean(str(file[key])), width)
    lines += [(), *_next(file)]
    return lines


def _next(file: Row) -> Iterator[Spans]:
    """What can be done about it."""
    if file["state"] == "rejected" and file["job"]:
        yield (("r", "key"), (" tries it again, ", "muted"), ("enter", "key"), (" opens its job", "muted"))
    elif file["job"]:
        yield (("enter", "key"), (" opens its job", "muted"))
    elif file["state"] in _FROM_OUTSIDE or file["state"] == "ignored":
        yield (("F", "key"), (" says what each rule makes of it", "muted"))


def _why(file: Row) -> str:
    return clean(str(file["message"] or file["reason"] or ""))


def explained(found: Sequence[tuple[FolderRule, Explanation]], width: int, glyphs: Glyphs) -> list[Spans]:
    """What each drop folder would make of a file, rule by rule."""
    lines: list[Spans] = []
    for _, one in found:
        lines += [(), *(((line, _OUTCOMES[one.outcome]),) for line in wrap(clean(one.text), width))]
        for check in one.checks:
            sign, tone = {
                True: (glyphs.states[State.COMPLETED], "ok"), False: (glyphs.states[State.FAILED], "bad"),
                None: (glyphs.dash, "faint"),
            }[check.passed]  # fmt: skip
            first, *rest = wrap(clean(check.said), max(16, width - 14)) or [""]
            said = "text" if check.passed is False else "muted"
            lines.append(((f"{sign} ", tone), (fit(check.rule, 10) + "  ", "muted"), (first, said)))
            lines += [((" " * 14 + line, said),) for line in rest]
    return lines[1:]


def refused_page(one: Refused, width: int, now: float, user_home: str, glyphs: Glyphs) -> list[Spans]:
    """A file that was not taken: why, and where it lies."""
    word = "in quarantine" if one.quarantined else "rejected"
    sign = glyphs.states[State.FAILED]
    lines: list[Spans] = [((f"{sign} {word}", "bad"), (f"  {passed(one.at, now)}", "text"))]
    lines += [((line, "bad"),) for line in wrap(clean(one.message or one.reason or "nobody says why"), width)]
    lines += [(), *fields("file", clean(one.name), width)]
    if one.folder:
        lines += fields("folder", home_path(clean(one.folder), user_home), width)
    lines += fields("lies in", home_path(clean(str(one.path.parent)), user_home), width)
    lines.append(field("size", size(one.size)))
    if one.reason:
        lines.append(field("reason", clean(one.reason)))
    if one.job:
        lines += fields("job", clean(one.job), width)
    lines.append(())
    if one.quarantined:
        said = "It is kept here because it may do harm: nothing opens it, and no retry brings it back."
    else:
        said = "Moved back into its folder it is taken in again, as a new file."
    lines += [((line, "muted"),) for line in wrap(said, width)]
    return lines
