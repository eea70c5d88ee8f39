"""A report as one HTML page with nothing beside it: styles and pictures stand in it, and it has no scripts."""

from html import escape

from . import charts, look
from .report_model import Chart, Figure, Report, Section, Table
from .wording import change, column, number

_CHART_WIDTH = 640.0
_STYLE = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0; background: #fff; color: {look.INK}; font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }}
main {{ max-width: 820px; margin: 0 auto; padding: 40px 24px 24px; }}
h1 {{ font-size: 30px; line-height: 1.2; font-weight: 600; margin: 0 0 6px; overflow-wrap: anywhere; }}
h2 {{ font-size: 19px; font-weight: 600; margin: 40px 0 12px; }}
h3 {{ font-size: 14px; font-weight: 600; margin: 26px 0 8px; }}
p {{ margin: 0 0 10px; white-space: pre-line; overflow-wrap: anywhere; }}
.quiet, footer {{ color: {look.MUTED}; font-size: 13px; }}
header {{ border-bottom: 1px solid {look.AXIS}; padding-bottom: 16px; }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); gap: 12px; }}
.figure {{ background: {look.PAPER_2}; padding: 12px 14px; min-width: 0; }}
.figure b {{ display: block; font-size: 24px; line-height: 1.3; font-weight: 600; white-space: nowrap; }}
.figure span {{ display: block; font-size: 12.5px; color: {look.MUTED}; overflow: hidden; text-overflow: ellipsis; }}
.figure .good {{ color: {look.GOOD}; }} .figure .bad {{ color: {look.BAD}; }}
.figure span:last-child {{ min-height: 1.5em; }}
svg {{ display: block; width: 100%; height: auto; font-family: inherit; }}
.wide {{ overflow-x: auto; }}
.wide svg {{ min-width: 560px; }}
td:first-child {{ min-width: 130px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 13.5px; }}
th {{ font-weight: 400; color: {look.MUTED}; font-size: 12.5px; text-align: left; }}
th {{ border-bottom: 1px solid {look.AXIS}; }}
td {{ border-bottom: 1px solid {look.GRID}; max-width: 320px; overflow-wrap: anywhere; }}
th, td {{ padding: 5px 14px 5px 0; vertical-align: top; }} th:last-child, td:last-child {{ padding-right: 0; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
footer {{ margin-top: 40px; padding-top: 12px; border-top: 1px solid {look.GRID}; }}
@media print {{
  main {{ padding: 0; max-width: none; }}
  h2, h3 {{ break-after: avoid; }} svg, tr, .figure {{ break-inside: avoid; }}
}}
"""


def written(report: Report) -> bytes:
    """The file."""
    about = [f"compared with {report.before}" if report.before else "", f"made {report.made}" if report.made else ""]
    quiet = " · ".join(one for one in about if one)
    owner = f'<p class="quiet">{escape(report.owner)}</p>' if report.owner else ""
    period = f"<p>{escape(report.period)}</p>" if report.period else ""
    body = "".join(_section(one) for one in report.sections)
    foot = " · ".join(one for one in (report.owner, report.title, report.period) if one)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><header>{owner}<h1>{escape(report.title)}</h1>{period}"
        f'<div class="quiet">{escape(quiet)}</div></header>{body}<footer>{escape(foot)}</footer></main></body></html>\n'
    ).encode()


def svg(chart: Chart, width: float = _CHART_WIDTH) -> str:
    """A chart as a picture."""
    high = charts.height(chart)
    inside = "".join(_shape(one) for one in charts.shapes(chart, width))
    return f'<svg viewBox="0 0 {_n(width)} {_n(high)}" role="img" aria-label="{escape(chart.title)}">{inside}</svg>'


def _section(one: Section) -> str:
    text = f"<p>{escape(one.text)}</p>" if one.text else ""
    figures = "".join(_figure(each) for each in one.figures)
    figures = f'<div class="figures">{figures}</div>' if figures else ""
    pictures = "".join(f"<h3>{escape(each.title)}</h3><div class='wide'>{svg(each)}</div>" for each in one.charts)
    return f"<section><h2>{escape(one.title)}</h2>{text}{figures}{pictures}{''.join(map(_table, one.tables))}</section>"


def _figure(one: Figure) -> str:
    said, tone = change(one)
    value = escape(number(one.value, one.unit))
    return f'<div class="figure"><span>{escape(one.label)}</span><b>{value}</b><span class="{tone}">{said}</span></div>'


def _table(one: Table) -> str:
    kinds = [' class="number"' if one.numeric(at) else "" for at in range(len(one.columns))]
    head = "".join(f"<th{kind}>{escape(title)}</th>" for kind, title in zip(kinds, one.columns, strict=True))
    columns = [column(one.column(at), one.unit(at)) for at in range(len(one.columns))]
    rows = []
    for row in zip(*columns, strict=True):
        cells = "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True))
        rows.append(f"<tr>{cells}</tr>")
    if not rows:
        rows.append(f'<tr><td class="quiet" colspan="{len(one.columns)}">Nothing in this period</td></tr>')
    title = f"<h3>{escape(one.title)}</h3>" if one.title else ""
    return f'{title}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _shape(shape: charts.Shape) -> str:
    if isinstance(shape, charts.Box):
        size = f'width="{_n(shape.width)}" height="{_n(shape.height)}"'
        return f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" {size} fill="{shape.colour}"/>'
    if isinstance(shape, charts.Words):
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        where = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}"'
        return f'<text {where} fill="{shape.colour}"{anchor}>{escape(shape.text)}</text>'
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
    if isinstance(shape, charts.Area):
        return f'<polygon points="{points}" fill="{shape.colour}"/>'
    dashes = ' stroke-dasharray="3 2"' if shape.dashed else ""
    stroke = f'stroke="{shape.colour}" stroke-width="{_n(shape.width)}" stroke-linejoin="round"{dashes}'
    return f'<polyline points="{points}" fill="none" {stroke}/>'


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
