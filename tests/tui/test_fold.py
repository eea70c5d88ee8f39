"""The tree of payload and result: values stay in sight, however long or wide their names are."""

import pytest
from rich.cells import cell_len

from jobdesk.desk import Desk
from jobdesk.tui.fold import data_page
from jobdesk.tui.glyphs import UNICODE
from jobdesk.tui.story import Story

WIDTH = 40


@pytest.mark.parametrize(
    "name", ["short", "a name that is longer than the page is wide, by far", "日本語のとても長い名前がここにあります"]
)
@pytest.mark.parametrize(("value", "end"), [("", '""'), ("x", "x"), ("some words to fill lines with " * 3, "with")])
def test_a_value_is_never_pushed_out_by_its_name(desk: Desk, name: str, value: str, end: str) -> None:
    job = desk.submit("command", {"argv": ["true"], "env": {name: value}})
    page = data_page(Story(desk.job(job.id)), (), WIDTH, UNICODE)
    (entry,) = [one for one in page if one.value == value and one.name.endswith(name)]
    lines = ["".join(text for text, _ in line) for line in entry.lines]
    assert all(cell_len(line) <= WIDTH for line in lines)
    assert lines[0].strip().startswith(name[:5])
    assert lines[-1].rstrip().endswith(end)
