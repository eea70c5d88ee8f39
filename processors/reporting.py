"""Reports of a day, a week or a month: of the desk's own jobs and of events, beside the period before."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from jobdesk import Context, Reject, processor

from . import periods, report_events, report_jobs
from .periods import Grain, Window, Zone
from .report_model import Report, Section
from .report_output import Formats, Recipients, finish, made_at

Content = Literal["jobs", "analytics"]
Contents = Annotated[list[Content], Field(min_length=1)]
Kind = Annotated[str, StringConstraints(pattern=r"^(hourly|daily|weekly|monthly)(_(analytics|jobs|report))?$")]
Title = Annotated[str, StringConstraints(max_length=300)]
_TITLES = {"hourly": "Hourly report", "daily": "Daily report", "weekly": "Weekly report", "monthly": "Monthly report"}


@processor("daily-reports", queue="daily-reports", priority="low", timeout="30m", retries=3)
def daily(
    ctx: Context,
    date: str | None = None,
    formats: Formats | None = None,
    contents: Contents | None = None,
    recipients: Recipients | None = None,
    timezone: Zone | None = None,
    title: Title = _TITLES["daily"],
) -> dict[str, Any]:
    """Report on a day, yesterday if none is named, beside the day before."""
    return _periodic(ctx, "daily", date, formats, contents, recipients, timezone, title)


@processor("weekly-reports", queue="weekly-reports", priority="low", timeout="30m", retries=3)
def weekly(
    ctx: Context,
    date: str | None = None,
    formats: Formats | None = None,
    contents: Contents | None = None,
    recipients: Recipients | None = None,
    timezone: Zone | None = None,
    title: Title = _TITLES["weekly"],
) -> dict[str, Any]:
    """Report on the week of a date, the last whole one if none is named, beside the week before."""
    return _periodic(ctx, "weekly", date, formats, contents, recipients, timezone, title)


@processor("report", queue="report-generation", timeout="30m", retries=3)
def report(
    ctx: Context,
    type: Kind = "daily",
    date: str | None = None,
    formats: Formats | None = None,
    contents: Contents | None = None,
    recipients: Recipients | None = None,
    timezone: Zone | None = None,
    title: Title | None = None,
) -> dict[str, Any]:
    """Report on an hour, day, week or month: `weekly`, or of one thing only, like `weekly_analytics`, `daily_jobs`."""
    grain, _, about = type.partition("_")
    only: Contents | None = [about] if about in ("analytics", "jobs") else None  # type: ignore[list-item]
    return _periodic(
        ctx, grain, date, formats, contents or only, recipients, timezone, title or _TITLES[grain]  # type: ignore[arg-type]
    )  # fmt: skip


def _periodic(
    ctx: Context,
    grain: Grain,
    date: str | None,
    formats: Formats | None,
    contents: Contents | None,
    recipients: Recipients | None,
    timezone: str | None,
    title: str,
) -> dict[str, Any]:
    settings = ctx.settings["reports"]
    zone, about = timezone or settings["timezone"], contents or settings["contents"]
    window = _window(grain, date, zone)
    sections: list[Section] = []
    if "jobs" in about:
        sections.append(report_jobs.section(ctx.home, window))
    if "analytics" in about:
        ctx.progress(0, 1, "counting events")
        events = report_events.section(ctx, window)
        if events is not None:
            sections.append(events)
        elif "jobs" not in about:
            said = "there are no events to report on: set sources in [analytics], or take files in (analytics-ingest)"
            raise Reject(said, reason="not-configured")
    shown = window.words if zone == "UTC" else f"{window.words} ({zone})"
    made = Report(
        name=f"{grain}-{window.name}" + ("" if len(about) > 1 else f"-{about[0]}"),
        title=title,
        period=shown,
        before=window.before().words,
        owner=settings["title"],
        made=made_at(datetime.now(ZoneInfo(zone))),
        sections=sections,
    )
    chosen = formats or settings["formats"]
    people = settings["recipients"] if recipients is None else recipients
    return finish(ctx, made, f"{grain}/{window.name}", chosen, people)


def _window(grain: Grain, date: str | None, zone: str) -> Window:
    if date is None:
        return periods.containing(datetime.now(UTC), grain, zone).before()
    try:
        return periods.containing(periods.instant(date, zone), grain, zone)
    except ValueError as error:
        raise Reject(f"date: {error}", reason="date") from None
