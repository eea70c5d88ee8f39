"""Reading a log by windows, its colours, and finding in it: what the widget relies on, without a screen."""

import re

import pytest

from jobdesk.ledger import reads, reports
from jobdesk.ledger.database import Ledger
from jobdesk.tui import log_pages
from jobdesk.tui.finding import Finding
from jobdesk.tui.log_lines import cut, lit, split
from jobdesk.tui.log_pages import PAGE, LogReader
from jobdesk.tui.palette import Palette
from jobdesk.tui.sgr import coloured
from tests.support.factory import claim, submit


def logged(ledger: Ledger, count: int) -> str:
    submit(ledger)
    job = claim(ledger)
    with ledger.write() as tx:
        reports.log(tx, job, [(tx.now, "info", f"line {n}") for n in range(count)])
    return job.id


def read_all(reader: LogReader) -> log_pages.LogState:
    reader.wanted = True
    state = reader.look()
    while not state.ready or reader.counted:
        state = reader.look()
    return state


def test_every_line_is_found_by_its_number_and_its_number_by_its_id(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_pages, "_CHUNK", 300)  # no multiple of a page
    reader = LogReader(ledger, logged(ledger, 1000))
    assert len(reader.look().tail) == 5
    state = read_all(reader)
    assert (state.total, state.tail[-1].data["message"]) == (1000, "line 999")
    pages = [reader.page(number) for number in range(5)]
    assert [event.data["message"] for page in pages for event in page] == [f"line {n}" for n in range(1000)]
    assert len(pages[3]) == 1000 - 3 * PAGE
    assert [reader.number_of(pages[2][at].id) for at in (0, 1, 255)] == [512, 513, 767]


def test_lines_that_were_left_out_meanwhile_are_noticed(ledger: Ledger) -> None:
    id_ = logged(ledger, 2000)
    reader = LogReader(ledger, id_)
    assert read_all(reader).total == 2000
    gone = [event.id for event in [*reader.page(2), *reader.page(3)]]
    with ledger.write() as tx:
        reports.unlog(tx, gone)
        job = next(iter(reads.processing(ledger)))
        reports.log(tx, job, [(tx.now, "info", f"new {n}") for n in range(600)])
    reader.look()
    state = read_all(reader)
    assert (state.total, state.shape) == (2000 - 512 + 600, 1)


def test_a_search_goes_through_all_lines_by_stretches(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pages, "_SEARCHED", 100)
    reader = LogReader(ledger, logged(ledger, 1000))
    finding = Finding(re.compile("line 99"), 0)
    more = True
    while more:
        found = reader.search(finding.pattern, finding.upto)
        more = found.more
        finding.take(found.ids, found.upto, more)
    assert finding.said == "1 of 11"
    finding.step(-1)
    assert finding.said == "11 of 11"
    finding.step(1)
    assert finding.said == "1 of 11"


def test_colours_stay_and_everything_else_is_written_out() -> None:
    (line,) = coloured("a\x1b[1;31mb\x1b[0mc\x1b[2J\x07")
    assert line == (("a", "text"), ("b", "sgr bold fg=31"), ("c^[[2J^G", "text"))
    palette = Palette({"foreground": "#ffffff", "error": "#ff0000"})
    assert palette["sgr bold fg=31"].bold
    assert palette["sgr bg=#102030 fg=@200"].bgcolor is not None


@pytest.mark.parametrize("codes", ["", "38", "38;5", "38;2;1;2", "38;5;999", "999", ";;", "4:3", "58;5;1", "97;107"])
def test_colours_that_are_none_break_nothing(codes: str) -> None:
    palette = Palette({"foreground": "#ffffff"})
    for line in coloured(f"\x1b[{codes}mtext"):
        assert "".join(text for text, _ in line) == "text"
        assert all(palette[tone] is not None for _, tone in line)


def test_lines_are_split_and_cut_by_cells() -> None:
    line = (("one two ", "text"), ("漢字漢字", "bad"))
    assert ["".join(text for text, _ in part) for part in split(line, 8)] == ["one two", "漢字漢字"]
    assert "".join(text for text, _ in cut(line, 9, 20)) == " 字漢字"
    assert lit(line, re.compile("two 漢"), "found")[1] == ("two ", "found")
