"""A report as a PDF of A4 pages: charts are drawn as lines and areas, so they are sharp at any size."""

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from jobdesk import Reject

from . import charts, look
from .report_model import Chart, Figure, Report, Section, Table
from .wording import change, column, number

if TYPE_CHECKING:
    from fpdf import FPDF

MISSING = 'PDF reports need a library that is not installed: pip install "jobdesk[reports]"'
_MARGIN = 50.0
_WIDTH = 595.28 - 2 * _MARGIN
_FOOT = 60.0
_BOTTOM = 841.89 - _FOOT
_FOOT_LINE = 841.89 - 32
_CARDS = 4
_ROW = 17.0


def written(report: Report) -> bytes:
    """The file.

    Raises:
        Reject: the library is missing.
    """
    try:
        page = _Pages(report)
    except ImportError:
        raise Reject(MISSING, reason="not-installed") from None
    page.head()
    for section in report.sections:
        page.section(section)
    page.foot()
    return bytes(page.pdf.output())


def _pdf(report: Report) -> "FPDF":
    from fpdf import FPDF

    made = FPDF(unit="pt", format="A4")
    fonts = files("jobdesk_assets") / "fonts"
    made.add_font("sans", "", str(fonts / "Roboto-Regular.ttf"))
    made.add_font("sans", "B", str(fonts / "Roboto-Medium.ttf"))
    made.set_margins(_MARGIN, _MARGIN, _MARGIN)
    made.set_auto_page_break(False)
    made.c_margin = 0
    made.set_title(report.title)
    made.set_creator("jobdesk")
    return made


def fitted(pdf: "FPDF", text: str, width: float) -> str:
    """The text, with its middle left out if it is too wide; signs that the font lacks are question marks."""
    text = known(pdf, " ".join(text.split()))
    if pdf.get_string_width(text) <= width:
        return text
    kept = len(text)
    while kept > 1:
        kept -= max(1, kept // 12)
        left = (kept + 1) // 2
        shorter = f"{text[:left].rstrip()}…{text[len(text) - (kept - left) :].lstrip() if kept > left else ''}"
        if pdf.get_string_width(shorter) <= width:
            return shorter
    return "…"


def known(pdf: "FPDF", text: str) -> str:
    cmap = getattr(pdf.current_font, "cmap", {})
    return "".join(one if ord(one) in cmap else "?" for one in text)


class _Pages:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.pdf = _pdf(report)
        self.pdf.add_page()
        self.y = _MARGIN

    def head(self) -> None:
        report = self.report
        if report.owner:
            self.line(report.owner, 8.5, look.MUTED, 14)
        self.line(report.title, 22, look.INK, 30, bold=True)
        if report.period:
            self.line(report.period, 11, look.INK, 17)
        more = [f"compared with {report.before}" if report.before else "", f"made {report.made}" if report.made else ""]
        if any(more):
            self.line(" · ".join(one for one in more if one), 8.5, look.MUTED, 14)
        self.y += 6
        self.rule()
        self.y += 8

    def foot(self) -> None:
        """What stands below each page; only now it is known how many there are."""
        report, count = self.report, self.pdf.pages_count
        left = " · ".join(one for one in (report.owner, report.title, report.period) if one)
        for page in range(1, count + 1):
            self.pdf.page = page
            self.pdf.set_font("sans", "B", 8)  # a page knows nothing of the font of the one before
            self.text(_MARGIN, _FOOT_LINE, left, 7.5, look.MUTED, _WIDTH - 70)
            said = f"{page} / {count}"
            wide = self.pdf.get_string_width(said)
            self.text(_MARGIN + _WIDTH - wide, _FOOT_LINE, said, 7.5, look.MUTED, wide + 1)

    def section(self, one: Section) -> None:
        first = 90.0 if one.figures else 60.0
        if one.charts and not one.figures:
            first = charts.height(one.charts[0]) + 60
        self.room(26 + first)
        self.y += 10
        self.line(one.title, 13, look.INK, 22, bold=True)
        if one.text:
            self.paragraph(one.text)
        self.figures(one.figures)
        for chart in one.charts:
            self.chart(chart)
        for table in one.tables:
            self.table(table)
        self.y += 6

    def figures(self, all_: Sequence[Figure]) -> None:
        gap = 10.0
        wide = (_WIDTH - gap * (_CARDS - 1)) / _CARDS
        for at in range(0, len(all_), _CARDS):
            self.room(66)
            for place, one in enumerate(all_[at : at + _CARDS]):
                x = _MARGIN + place * (wide + gap)
                self.box(x, self.y, wide, 56, look.PAPER_2)
                inner = wide - 18
                self.text(x + 9, self.y + 15, one.label, 8, look.MUTED, inner)
                self.text(x + 9, self.y + 35, number(one.value, one.unit), 17, look.INK, inner, bold=True)
                said, tone = change(one)
                colour = {"good": look.GOOD, "bad": look.BAD}.get(tone, look.MUTED)
                self.text(x + 9, self.y + 49, said, 7.5, colour, inner)
            self.y += 66

    def chart(self, one: Chart) -> None:
        high = charts.height(one)
        self.room(high + 34)
        self.line(one.title, 9.5, look.INK, 18, bold=True)
        for shape in charts.shapes(one, _WIDTH):
            self.draw(shape)
        self.y += high + 14

    def draw(self, shape: charts.Shape) -> None:
        x, y = _MARGIN, self.y
        if isinstance(shape, charts.Box):
            self.box(x + shape.x, y + shape.y, shape.width, shape.height, shape.colour)
        elif isinstance(shape, charts.Area):
            self.pdf.set_fill_color(shape.colour)
            self.pdf.polygon([(x + px, y + py) for px, py in shape.points], style="F")
        elif isinstance(shape, charts.Path):
            self.pdf.set_draw_color(shape.colour)
            self.pdf.set_line_width(shape.width)
            if shape.dashed:
                self.pdf.set_dash_pattern(dash=3, gap=2)
            self.pdf.polyline([(x + px, y + py) for px, py in shape.points])
            self.pdf.set_dash_pattern()
        else:
            self.pdf.set_font("sans", size=shape.size)
            text = known(self.pdf, shape.text)
            wide = self.pdf.get_string_width(text)
            left = shape.x - {"start": 0.0, "middle": wide / 2, "end": wide}[shape.anchor]
            self.text(x + max(0.0, left), y + shape.y, text, shape.size, shape.colour, wide + 1)

    def table(self, one: Table) -> None:
        texts = [
            list(row)
            for row in zip(*(column(one.column(at), one.unit(at)) for at in range(len(one.columns))), strict=True)
        ]
        widths = self.widths(one, texts)
        self.room(18 + _ROW * 3)
        if one.title:
            self.line(one.title, 9.5, look.INK, 18, bold=True)
        self.table_head(one, widths)
        if not one.rows:
            self.text(_MARGIN, self.y + 11, "Nothing in this period", 8.5, look.MUTED, _WIDTH)
            self.y += _ROW
        for row in texts:
            if self.y + _ROW > _BOTTOM:
                self.next_page()
                self.table_head(one, widths)
            self.cells(row, one, widths, look.INK)
            self.rule(look.GRID)
        self.y += 12

    def table_head(self, one: Table, widths: Sequence[float]) -> None:
        self.cells(one.columns, one, widths, look.MUTED, size=7.5)
        self.rule(look.AXIS)

    def cells(self, texts: Sequence[str], one: Table, widths: Sequence[float], colour: str, size: float = 8.5) -> None:
        x = _MARGIN
        self.pdf.set_font("sans", size=size)
        for at, (text, wide) in enumerate(zip(texts, widths, strict=True)):
            number_ = one.numeric(at)
            gap = 14 if number_ and at + 1 < len(texts) and not one.numeric(at + 1) else 0
            shown = fitted(self.pdf, text, wide - 8 - gap)
            left = x + wide - gap - self.pdf.get_string_width(shown) if number_ else x
            self.text(left, self.y + 11.5, shown, size, colour, wide)
            x += wide
        self.y += _ROW

    def widths(self, one: Table, rows: Sequence[Sequence[str]]) -> list[float]:
        """As wide as the widest of a column; texts share what numbers leave, and give way if it is too little."""
        self.pdf.set_font("sans", size=8.5)
        wanted = []
        for at, title in enumerate(one.columns):
            texts = [title, *(row[at] for row in rows[:500])]
            wanted.append(min(300.0, max(self.pdf.get_string_width(known(self.pdf, text)) for text in texts) + 18))
        spare = _WIDTH - sum(wanted)
        if spare >= 0:
            return [wide + spare / len(wanted) for wide in wanted]
        soft = [at for at in range(len(wanted)) if not one.numeric(at)] or list(range(len(wanted)))
        left = sum(wanted[at] for at in soft)
        if left + spare > 40 * len(soft):
            return [wide + spare * wide / left if at in soft else wide for at, wide in enumerate(wanted)]
        return [wide * _WIDTH / sum(wanted) for wide in wanted]

    def paragraph(self, text: str) -> None:
        self.pdf.set_font("sans", size=9)
        shown = "\n".join(known(self.pdf, line) for line in text.splitlines())
        lines = self.pdf.multi_cell(_WIDTH, 13, shown, dry_run=True, output="LINES", align="L")
        for line in lines if isinstance(lines, list) else ():
            self.room(13)
            self.text(_MARGIN, self.y + 10, line, 9, look.INK, _WIDTH + 2)
            self.y += 13
        self.y += 8

    def line(self, text: str, size: float, colour: str, high: float, *, bold: bool = False) -> None:
        self.room(high)
        self.text(_MARGIN, self.y + size, text, size, colour, _WIDTH, bold=bold)
        self.y += high

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, width: float, *, bold: bool = False
    ) -> None:
        self.pdf.set_font("sans", "B" if bold else "", size)
        self.pdf.set_text_color(colour)
        self.pdf.text(x, y, fitted(self.pdf, text, width))

    def box(self, x: float, y: float, width: float, high: float, colour: str) -> None:
        self.pdf.set_fill_color(colour)
        self.pdf.rect(x, y, width, high, style="F")

    def rule(self, colour: str = look.AXIS) -> None:
        self.pdf.set_draw_color(colour)
        self.pdf.set_line_width(0.5)
        self.pdf.line(_MARGIN, self.y, _MARGIN + _WIDTH, self.y)

    def room(self, high: float) -> None:
        """So much room below, on a new page if need be."""
        if self.y + high > _BOTTOM and self.y > _MARGIN:
            self.next_page()

    def next_page(self) -> None:
        self.pdf.add_page()
        self.y = _MARGIN
