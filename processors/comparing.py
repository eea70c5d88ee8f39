"""Reports on records that other jobs found: competitors beside one another, videos over time, any analysis as PDF."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from jobdesk import Context, Reject, processor

from . import comparisons
from .report_model import Report, from_json
from .report_output import Formats, Recipients, finish, made_at

Records = Annotated[list[dict[str, Any]], Field(min_length=1, max_length=10_000)]
Title = Annotated[str, StringConstraints(max_length=300)]
_MOST_BYTES = 50_000_000


@processor("generate-competitor-report", queue="report-generation", timeout="10m", retries=3)
def competitors(
    ctx: Context,
    analysisData: Records,  # noqa: N803  as others call it
    businessId: str | None = None,  # noqa: N803
    title: Title = "Competitor report",
    formats: Formats = ["pdf", "json"],  # noqa: B006  pydantic copies it
    recipients: Recipients = [],  # noqa: B006
) -> dict[str, Any]:
    """Compare businesses by whatever numbers they have; one's own is named by its id."""
    sections = comparisons.beside(analysisData, businessId)
    return _finish(ctx, "competitors", title, f"{len(analysisData):,} compared", sections, formats, recipients)


@processor("generate-trend-analysis", queue="report-generation", timeout="10m", retries=3)
def trends(
    ctx: Context,
    analysisData: Records,  # noqa: N803
    title: Title = "Trend analysis",
    formats: Formats = ["pdf", "json"],  # noqa: B006
    recipients: Recipients = [],  # noqa: B006
) -> dict[str, Any]:
    """Say how the numbers of dated records, such as videos, go over time."""
    try:
        sections = comparisons.over_time(analysisData)
    except ValueError as error:
        raise Reject(str(error), reason="too-few") from None
    made = _finish(ctx, "trends", title, f"{len(analysisData):,} records", sections, formats, recipients)
    lines = [
        row for section in sections for table in section.tables if table.title == "Straight lines" for row in table.rows
    ]
    return made | {
        "trends": {str(name): {"first": first, "last": last, "each_day": each} for name, first, last, each in lines}
    }


@processor("export-pdf-report", queue="report-generation", timeout="10m", retries=3)
def export(
    ctx: Context,
    report: Path | None = None,
    data: dict[str, Any] | None = None,
    title: Title | None = None,
    recipients: Recipients = [],  # noqa: B006
) -> dict[str, Any]:
    """Make a PDF of a report that was written as JSON, or of any analysis given as data."""
    if (report is None) == (data is None):
        raise Reject("give either report=FILE, a report or an analysis as JSON, or data={…}", reason="nothing")
    found = data if report is None else _read(report)
    try:
        made = from_json(found)
    except ValueError:
        sections = comparisons.anything(found)
        made = Report("analysis", title or "Analysis", made=made_at(datetime.now(UTC)), sections=sections)
    made.title = title or made.title
    made.owner = made.owner or ctx.settings["reports"]["title"]
    made.name = f"{_plain(made.name)}-{ctx.job[-8:].lower()}"
    return finish(ctx, made, "exports", ["pdf"], recipients)


def _finish(
    ctx: Context, kind: str, title: str, period: str, sections: Any, formats: Formats, recipients: Recipients
) -> dict[str, Any]:
    now = datetime.now(UTC)
    made = Report(
        name=f"{kind}-{ctx.job[-8:].lower()}",
        title=title,
        period=period,
        owner=ctx.settings["reports"]["title"],
        made=made_at(now),
        sections=sections,
    )
    return finish(ctx, made, f"{kind}/{now:%Y-%m}", formats, recipients)


def _read(file: Path) -> Any:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise Reject(f"{file} is larger than {_MOST_BYTES:,} bytes", reason="size")
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Reject(f"{file} cannot be read as JSON ({error})", reason="source") from None


def _plain(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in name)[:80] or "report"
