"""Numbers in the cells they have."""

import pytest

from jobdesk.tui.format import brief


@pytest.mark.parametrize("cells", [4, 5])
@pytest.mark.parametrize(
    "count", [0, 9, 999, 1_000, 1_999, 9_949, 9_950, 9_999, 10_000, 99_949, 99_950, 999_499, 999_500, 12_345_678]
)
def test_a_brief_number_is_not_wider_than_its_column(count: int, cells: int) -> None:
    assert len(brief(count, cells)) <= cells
