"""Reports through a real consumer, in every format; drawn with nothing, with much, and with long names."""

import csv
import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jobdesk import Desk
from jobdesk_processors import charts, comparing, page, pdf, sheets, wording
from jobdesk_processors.report_model import Chart, Figure, Report, Section, Series, Table, from_json
from tests.support.context import Bench, bench
from tests.support.home import make_home, until
from tests.support.smtp import MailServer, mail_server

PROCESSORS = '''
from jobdesk import Context, Reject, processor

@processor("work", retries=0)
def work(ctx: Context, n: int) -> int:
    """Works."""
    if n % 5 == 0:
        raise Reject("five", reason="five-of-a-kind")
    return n
'''


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def settings(server: MailServer, events: Path) -> str:
    return (
        f'[email]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nsender = "desk@example.org"\n'
        f'[analytics]\nsources = ["{events}"]\n[reports]\ntitle = "Ada & <Söhne>"\n'
    )


def test_reports_of_jobs_and_events_are_written_and_mailed(tmp_path: Path, server: MailServer) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [(today - timedelta(days=1), "page_view")] * 2 + [(today, "page_view")] * 4 + [(today, "purchase")]
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps({"timestamp": at.isoformat(), "event": name}) + "\n" for at, name in rows))
    home = make_home(tmp_path, PROCESSORS, settings(server, events))
    with Desk(home) as desk:
        ids = [desk.submit("work", {"n": n}).id for n in range(1, 11)]
        desk.wait(*ids, timeout=60)
        date = datetime.now(UTC)  # the day may have changed since; then the jobs are of either
        every = ["pdf", "html", "csv", "json"]
        data = {"date": f"{today:%Y-%m-%d}", "formats": every, "recipients": "boss@example.org"}
        made = desk.wait(desk.submit("daily-reports", data).id, timeout=120)
        assert made.state == "completed", made.error
        files = {kind: Path(file) for kind, file in made.result["files"].items()}
        weekly = desk.wait(desk.submit("weekly-reports", {"date": data["date"]}).id, timeout=120)
        alone = desk.wait(desk.submit("report", {"type": "monthly_analytics", "formats": "json"}).id, timeout=120)
        assert (weekly.state, alone.state) == ("completed", "completed"), (weekly.error, alone.error)
        until(lambda: len(server.letters) == 1)
    report = from_json(json.loads(files["json"].read_text()))
    jobs, seen = report.sections
    assert (jobs.title, seen.title) == ("Jobs", "Events")
    figures = {one.label: (one.value, one.before) for one in seen.figures}
    assert figures["Page views"] == (4, 2) and figures["Purchases"] == (1, 0) and figures["Conversion rate"] == (25, 0)
    if date.date() == today.date():
        ended = {one.label: one.value for one in jobs.figures}
        assert ended["Jobs ended"] >= 10 and ended["Failed or expired"] == 2
        assert ["five-of-a-kind", 2, 0] in jobs.tables[1].rows
    assert files["pdf"].read_bytes().startswith(b"%PDF-") and len(pages(files["pdf"].read_bytes())) >= 2
    html = files["html"].read_text()
    assert "Ada &amp; &lt;Söhne&gt;" in html
    assert not re.search(r"<script|<link|src=|https?:", html)
    table = list(csv.reader(files["csv"].read_text("utf-8-sig").splitlines()))
    assert ["Events", "figure", "Page views", "", "4", "2", ""] in table
    (letter,) = server.letters
    assert letter["To"] == "boss@example.org" and "Daily report" in letter["Subject"]
    body = letter.get_body(("plain",))
    assert body is not None and "Page views: 4 (+100.0 %)" in body.get_content()
    assert [one.get_filename() for one in letter.iter_attachments()] == [file.name for file in files.values()]


def test_the_same_report_made_again_takes_the_place_of_the_first(tmp_path: Path, server: MailServer) -> None:
    home = make_home(tmp_path, PROCESSORS, "")
    with Desk(home) as desk:
        made = [desk.wait(desk.submit("daily-reports", {"formats": ["json"]}).id, timeout=120) for _ in range(2)]
        assert [one.state for one in made] == ["completed"] * 2, made[0].error
        none = desk.wait(desk.submit("report", {"type": "daily_analytics"}).id, timeout=120)
        assert none.state == "failed" and none.error is not None and "set sources in [analytics]" in none.error.message
    assert made[0].result["files"] == made[1].result["files"]
    assert len(list((home / "library" / "reports").rglob("*.json"))) == 1


@pytest.fixture
def desk(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", comparing)


def test_competitors_are_compared_with_ones_own_business(desk: Bench) -> None:
    rows = [
        {"businessId": f"b{n}", "name": f"Place {n}", "followers": n * 100, "stats": {"likes": n}, "open": True}
        for n in range(1, 6)
    ]
    result = desk.run("generate-competitor-report", {"businessId": "b2", "analysisData": rows}).result
    own, leads = from_json(json.loads(Path(result["files"]["json"]).read_text())).sections
    assert [(one.label, one.value, one.before) for one in own.figures] == [("Followers", 200, 325), ("Likes", 2, 3.25)]
    assert leads.tables[0].rows[0] == ["Place 5", 500, 5]
    assert Path(result["files"]["pdf"]).read_bytes().startswith(b"%PDF-")


def test_a_trend_is_the_straight_line_through_what_has_a_date(desk: Bench) -> None:
    rows = [{"videoId": f"v{n}", "publishedAt": f"2026-11-{n:02}", "views": 100 + 10 * n} for n in range(1, 11)]
    result = desk.run("generate-trend-analysis", {"analysisData": [*rows, {"views": 1}]}).result
    assert result["trends"] == {"Views": {"first": 110, "last": 200, "each_day": 10.0}}
    few = desk.run("generate-trend-analysis", {"analysisData": [{"views": 1}]})
    assert "at least two records with a date" in few.error.message and not few.error.retryable


def test_any_analysis_or_report_becomes_a_pdf(desk: Bench, tmp_path: Path) -> None:
    data = {
        "summary": "Good.",
        "score": 8,
        "rows": [{"a": 1, "b": None}, {"a": 2, "c": ["x"]}],
        "deep": {"n": 1},
        "l": [1],
    }
    result = desk.run("export-pdf-report", {"data": data, "title": "One"}).result
    assert Path(result["files"]["pdf"]).read_bytes().startswith(b"%PDF-") and result["title"] == "One"
    (tmp_path / "r.json").write_bytes(sheets.json_of(report(many=3)))
    again = desk.run("export-pdf-report", {"report": str(tmp_path / "r.json")}).result
    assert again["title"] == "A report" and again["period"] == "Today"
    assert "cannot be read as JSON" in desk.run("export-pdf-report", {"report": str(desk.home)}).error.message
    assert "give either" in desk.run("export-pdf-report", {}).error.message


LONG = "a-name-that-goes-on-and-on." * 12 + "日本 Ж é \U0001f600"


def report(many: int, name: str = LONG) -> Report:
    labels = [f"{name} {n}" for n in range(many)]
    values = [n * 1e7 if n % 3 else None for n in range(many)]
    return Report(
        "r",
        "A report",
        "Today",
        sections=[
            Section(
                name,
                text=name * 3,
                figures=[Figure(name, 1e12, 3, "ms"), Figure("x", None, None), Figure("y", -5.5, 0, "%", "less")],
                charts=[
                    Chart(name, "bars", labels, [Series(name, values), Series("b", values, before=True)]),
                    Chart("lines", "lines", labels, [Series("a", values), Series("b", values)], "bytes"),
                    Chart("ranking", "ranking", labels, [Series("a", values)], "ms"),
                ],
                tables=[
                    Table("t", [name, "n", "text"], [[label, n, name] for n, label in enumerate(labels)], ["", "%"])
                ],
            )
        ],
    )


@pytest.mark.parametrize("many", [0, 1, 2, 3, 100])
def test_nothing_is_drawn_beside_the_page_whatever_it_is(many: int) -> None:
    made = report(many)
    for content in pages(pdf.written(made)):
        for x in re.findall(rb"([-\d.]+) [-\d.]+ Td", content):
            assert 49 < float(x) < 546
    for one in made.sections[0].charts:
        wide, high = 640.0, charts.height(one)
        for shape in charts.shapes(one, wide):
            for x, y in shape.points if isinstance(shape, charts.Path | charts.Area) else [(shape.x, shape.y)]:
                assert -0.01 <= x <= wide + 0.01 and -0.01 <= y <= high + 0.01, (one.kind, shape)
            if isinstance(shape, charts.Box):
                assert shape.width >= 0 and shape.height >= 0
                assert shape.x + shape.width <= wide + 0.01 and shape.y + shape.height <= high + 0.01
        ElementTree.fromstring(page.svg(one))
    assert page.written(made) and from_json(json.loads(sheets.json_of(made))).to_json() == made.to_json()


def test_a_spreadsheet_takes_no_text_of_a_report_for_a_formula() -> None:
    text = sheets.csv_of(report(1, name="=HYPERLINK(1)")).decode()
    assert "'=HYPERLINK(1)" in text and not re.search(r"(^|,)=", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (Figure("", 120, 100, better="more"), ("+20.0 %", "good")),
        (Figure("", 120, 100, better="less"), ("+20.0 %", "bad")),
        (Figure("", 5, 0, better="more"), ("none before", "")),
        (Figure("", 0, 0), ("none, as before", "")),
        (Figure("", 3.5, 3, "%", "more"), ("+0.50 points", "good")),
        (Figure("", None, 3), ("", "")),
        (Figure("", 5000, 1, better="more"), ("5,000 times as much", "good")),
    ],
)
def test_how_figures_move_is_said_in_words(figure: Figure, said: tuple[str, str]) -> None:
    words, tone = wording.change(figure)
    assert (words.replace("\N{NO-BREAK SPACE}", " "), tone) == said


def pages(content: bytes) -> list[bytes]:
    """The drawing of each page."""
    found: list[Any] = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    drawn = []
    for one in found:
        try:
            text = zlib.decompress(one)
        except zlib.error:
            continue
        if b" Td" in text:
            drawn.append(text)
    return drawn
