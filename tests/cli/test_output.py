"""What people see: tables that fit, and nothing that a terminal would obey."""

import io

import pytest

from jobdesk.cli.output import Column, Out, cell_width, cut, plain, state_tone


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


COLUMNS = (Column("id"), Column("state", tone=state_tone), Column("queue", least=8, drop=2), Column("about", least=6))
ROW = ("job_1", "failed", "processing.images", "a rather long description")


@pytest.mark.parametrize("width", [20, 24, 30, 40, 60, 80, 200])
def test_a_table_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    Out(stream=stream).table(COLUMNS, [ROW])
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("id") and lines[1].startswith("job_1  failed")
    assert max(map(cell_width, lines)) <= width


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Out(stream=Terminal()).paint("x", "bad") == "\x1b[31mx\x1b[0m"
    assert Out(stream=io.StringIO()).paint("x", "bad") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Out(stream=Terminal()).paint("x", "bad") == "x"


def test_a_pipe_gets_whole_cells_between_tabs_and_no_heading() -> None:
    stream = io.StringIO()
    Out(stream=stream).table(COLUMNS, [(*ROW[:3], "one\ttwo\nthree")])
    assert stream.getvalue() == "job_1\tfailed\tprocessing.images\tone two three\n"


def test_nothing_that_a_terminal_would_obey_gets_through() -> None:
    assert plain("a\x1b[31mb\u202ec\x9b") == "a\\x1b[31mb\\u202ec\\x9b"


def test_wide_letters_count_twice() -> None:
    assert cell_width("写真.jpg") == 8
    assert cut("写真.jpg", 6) == "写真.…"
