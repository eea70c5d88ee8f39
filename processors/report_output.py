"""Where reports go: files in STORAGE/reports, an asset of the library, and a mail if somebody is to get it."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from jobdesk import Context

from . import page, pdf, sheets
from .mail_fields import Address
from .report_model import Report
from .safefiles import write_whole
from .wording import change, number

Format = Literal["pdf", "html", "csv", "json"]
_WRITERS: dict[Format, Callable[[Report], bytes]] = {
    "pdf": pdf.written,
    "html": page.written,
    "csv": sheets.csv_of,
    "json": sheets.json_of,
}
_TYPES = {"pdf": "application/pdf", "html": "text/html", "csv": "text/csv", "json": "application/json"}
_ONE_OR_MORE = BeforeValidator(lambda said: [said] if isinstance(said, str) else said)


def _some(formats: list[Format]) -> list[Format]:
    if not formats:
        raise ValueError("name at least one of pdf, html, csv, json")
    return list(dict.fromkeys(formats))


Formats = Annotated[list[Format], _ONE_OR_MORE, AfterValidator(_some)]
Recipients = Annotated[list[Address], _ONE_OR_MORE]


def finish(
    ctx: Context, report: Report, place: str, formats: Sequence[Format], recipients: Sequence[str]
) -> dict[str, Any]:
    """Write a report in each format, replacing a former one of its name, record it, and have it mailed.

    Args:
        place: folder below STORAGE/reports, such as daily/2026-11-21.
    """
    folder = Path(ctx.settings["storage"]["path"]) / "reports" / place
    files: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for done, kind in enumerate(formats, 1):
        ctx.checkpoint()
        content = _WRITERS[kind](report)
        file = folder / f"{report.name}.{kind}"
        write_whole(file, content)
        ctx.artifact(file, "report")
        ctx.asset(
            {
                "id": f"report_{report.name}.{kind}",
                "name": file.name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "type": _TYPES[kind],
                "path": str(file),
                "title": report.title,
                "period": report.period,
            }
        )
        files[kind], sizes[kind] = str(file), len(content)
        ctx.progress(done, len(formats), file.name)
    if recipients:
        subject = f"{report.title}: {report.period}" if report.period else report.title
        mail = {
            "to": list(recipients),
            "subject": subject,
            "text": summary(report),
            "attachments": list(files.values()),
        }
        ctx.submit("email", mail, optional=True)
    ctx.log.info(f"{report.title}: {', '.join(Path(one).name for one in files.values())}")
    return {
        "title": report.title,
        "period": report.period,
        "files": files,
        "bytes": sizes,
        "recipients": list(recipients),
        "figures": {
            f"{section.title}: {one.label}": one.value for section in report.sections for one in section.figures
        },
    }


def summary(report: Report) -> str:
    """The figures as the text of a mail."""
    lines = [report.title, report.period, ""] if report.period else [report.title, ""]
    for section in report.sections:
        lines.append(section.title)
        if section.text:
            lines.append(section.text)
        for one in section.figures:
            said, _ = change(one)
            lines.append(f"  {one.label}: {number(one.value, one.unit)}" + (f" ({said})" if said else ""))
        lines.append("")
    if report.before:
        lines.append(f"In brackets: compared with {report.before}.")
    return "\n".join(lines).rstrip().replace("\N{NO-BREAK SPACE}", " ") + "\n"


def made_at(moment: datetime) -> str:
    """An instant as a report says it."""
    return f"{moment.day} {moment:%B %Y, %H:%M %Z}"
