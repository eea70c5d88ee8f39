"""A report as CSV and as JSON: every number in full."""

import csv
import json
from io import StringIO

from .report_model import Report

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(report: Report) -> bytes:
    """One table: section, kind (figure, chart, table), what it is called, of what, the value, the one before, the unit.

    Texts that a spreadsheet would take for a formula get an apostrophe before them.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["section", "kind", "name", "of", "value", "before", "unit"])

    def row(*cells: str | float | int | None) -> None:
        writer.writerow([f"'{one}" if isinstance(one, str) and one.startswith(_FORMULA) else one for one in cells])

    for section in report.sections:
        for figure in section.figures:
            row(section.title, "figure", figure.label, "", figure.value, figure.before, figure.unit)
        for chart in section.charts:
            before = next((one.values for one in chart.series if one.before), [])
            for series in chart.series:
                if series.before:
                    continue
                for at, (label, value) in enumerate(zip(chart.labels, series.values, strict=False)):
                    was = before[at] if at < len(before) else None
                    row(section.title, "chart", f"{chart.title}: {series.name}", label, value, was, chart.unit)
        for table in section.tables:
            for line in table.rows:
                for at, cell in enumerate(line[1:], 1):
                    name = f"{table.title}: {table.columns[at]}".removeprefix(": ")
                    row(section.title, "table", name, str(line[0]), cell, None, table.unit(at))
    return out.getvalue().encode("utf-8-sig")


def json_of(report: Report) -> bytes:
    """As `from_json` reads it."""
    return (json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n").encode()
