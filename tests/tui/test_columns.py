"""Columns and text that fit, whatever the width."""

from hypothesis import given
from hypothesis import strategies as some
from rich.cells import cell_len

from jobdesk.tui.activity import Rates
from jobdesk.tui.columns import place, row
from jobdesk.tui.format import ago, fit, width_of, wrap
from jobdesk.tui.glyphs import UNICODE
from jobdesk.tui.job_cells import COLUMNS
from jobdesk.tui.overview_rows import hour, span_of


@given(some.integers(1, 250))
def test_a_row_is_never_wider_than_its_room(room: int) -> None:
    placed = place(COLUMNS, room)
    assert placed[0][0].key == "state"
    assert width_of(row(placed, {})) <= room


@given(some.text(), some.integers(0, 60))
def test_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(fit("".join(letter for letter in text if letter.isprintable()), width)) == width


@given(some.text(alphabet="ab 写✓\t\n\x1b", max_size=200), some.integers(4, 40))
def test_wrapped_lines_fit_and_hold_no_control_characters(text: str, width: int) -> None:
    for line in wrap(text, width):
        assert cell_len(line) <= width
        assert line.isprintable()


def test_a_path_breaks_after_a_part_and_not_after_the_slash_it_begins_with() -> None:
    assert wrap("the folder /srv/photos/inbox is gone", 14) == ["the folder", "/srv/photos/", "inbox is gone"]
    assert wrap("cannot read '/srv/photos/inbox'", 16) == ["cannot read", "'/srv/photos/", "inbox'"]


def test_ages_change_seldom() -> None:
    assert [ago(0, now) for now in (0.5, 3.2, 14, 59, 61, 119, 3599, 7500)] == [
        "now", "3s", "10s", "50s", "1m", "1m", "59m", "2h05",
    ]  # fmt: skip


def test_no_cell_is_cut_while_its_neighbour_says_nothing() -> None:
    said = {"type": len("IMAGE_UPLOAD_PROCESSING"), "subject": 22, "note": 0, "queue": 20}
    widths = {column.key: width for column, width in place(COLUMNS, 115, said)}
    assert all(widths[key] >= said[key] for key in said)
    assert "id" not in widths, "spare columns go first"


def test_the_chart_names_minutes_below_their_columns_and_fills_its_width() -> None:
    rates = Rates(minutes=((0, 0),) * 15 + ((3, 1),) * 45)
    lines = ["".join(text for text, _ in line) for line in hour(rates, 60, 12, UNICODE)]
    axis = next(line for line in lines if "now" in line)
    assert (axis.index("-45m"), axis.index("-15m"), len(axis)) == (15, 45, 60)
    assert max(len(line) for line in lines) <= 60


def test_a_young_desk_shows_fewer_minutes_and_wider_columns() -> None:
    assert span_of(Rates(minutes=((0, 0),) * 55 + ((1, 0),) * 5)) == 10
    assert span_of(Rates(minutes=((0, 0),) * 45 + ((1, 0),) * 15)) == 20
    assert span_of(Rates(minutes=((1, 0),) * 60)) == 60
