"""One alert as text: what it says, and when the same was raised before. Pure functions of the alert and the time."""

from collections.abc import Sequence

from jobdesk.core.alert import Alert, Rule, Severity, in_unit
from jobdesk.core.durations import short
from jobdesk.core.job import State
from jobdesk.tui.format import Spans, clean, clock_time, passed, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.job_pages import field, fields, heading

_EARLIER = 8


def sign(one: Alert, glyphs: Glyphs) -> str:
    """What stands before its state."""
    return {"active": glyphs.alert, "cleared": glyphs.states[State.COMPLETED]}.get(one.state, glyphs.dot)


def tone(one: Alert) -> str:
    """In which its state is written."""
    if one.state == "active":
        return "bad" if one.severity is Severity.ERROR else "warn"
    return "later" if one.state == "pending" else "muted"


def alert_page(
    one: Alert, rule: Rule | None, all_: Sequence[Alert], width: int, now: float, glyphs: Glyphs
) -> list[Spans]:
    """All there is to say of it; `rule` is as the settings have it now, `all_` holds what was raised before."""
    lines: list[Spans] = [((f"{sign(one, glyphs)} {one.state}", tone(one)),), ()]
    lines += alert_facts(one, rule, width, now)
    return lines + alert_before(one, [old for old in all_ if old.rule == one.rule], now)


def alert_facts(one: Alert, rule: Rule | None, width: int, now: float) -> list[Spans]:
    """What it says, how far it is over its limit, and what became of it."""
    lines: list[Spans] = [((line, "text"),) for line in wrap(clean(one.message), width)]
    lines += [(), *fields("rule", one.rule, width), *fields("subject", clean(one.subject), width)]
    lines.append(field("severity", one.severity.value, "bad" if one.severity is Severity.ERROR else "warn"))
    if rule is None:
        lines.append(field("value", f"{one.value:g}, threshold {one.threshold:g}"))
    else:
        lines.append(field("value", in_unit(one.value, rule.unit)))
        lines.append(field("threshold", rule.limit() + (f", within {short(rule.window_s)}" if rule.window_s else "")))
    for label, at in (("since", one.since_at), ("raised", one.raised_at), ("cleared", one.cleared_at)):
        if at is not None:
            lines.append(field(label, f"{clock_time(at, now)}  {passed(at, now)}"))
    if one.acked_at is not None:
        lines.append(field("seen by", f"{clean(one.acked_by or 'somebody')}, {passed(one.acked_at, now)}"))
    if one.silenced_until is not None:
        lines.append(field("silent", f"until {clock_time(one.silenced_until, now)}"))
    if one.job:
        lines += fields("job", one.job, width)
    return lines


def alert_before(one: Alert, alike: Sequence[Alert], now: float) -> list[Spans]:
    """When the same was raised before, and for how long."""
    earlier = [old for old in alike if old.subject == one.subject and old.id < one.id]
    if not earlier:
        return []
    lines: list[Spans] = [(), heading("Before")]
    for old in sorted(earlier, key=lambda old: -old.id)[:_EARLIER]:
        start = old.since_at if old.raised_at is None else old.raised_at
        lasted = f"for {short(old.cleared_at - start)}" if old.cleared_at is not None else "not cleared"
        lines.append(((f"{clock_time(start, now)}  ", "text"), (lasted, "muted"), (f"  value {old.value:g}", "muted")))
    return lines
