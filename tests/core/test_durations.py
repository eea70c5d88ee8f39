"""Durations and sizes are read as people write them, and written short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.durations import bytes_, seconds, short, size


@pytest.mark.parametrize(
    ("text", "value"),
    [("500ms", 0.5), ("5s", 5), ("2m", 120), ("1h", 3600), ("7d", 604800), ("1h30m", 5400), ("1w", 604800), (3, 3),
     ("2.5s", 2.5), ("10", 10), (" 5 s ", 5)],
)  # fmt: skip
def test_durations_are_read_in_every_unit(text: str | float, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "5 x", "soon", "-5s", -1, float("nan"), float("inf"), "1h 5", "5s!"])
def test_what_is_no_duration_is_refused_with_an_example(text: str | float) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"), [("512KB", 512_000), ("100MB", 10**8), ("2GB", 2 * 10**9), ("64MiB", 2**26), (7, 7), ("9", 9)]
)
def test_sizes_are_read_in_every_unit(text: str | int, value: int) -> None:
    assert bytes_(text) == value


@pytest.mark.parametrize("text", ["", "big", "-1", "1TB?", -3])
def test_what_is_no_size_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="size"):
        bytes_(text)


@given(st.floats(0, 86400 * 9999))
def test_a_short_duration_fits_its_column(value: float) -> None:
    assert 1 <= len(short(value)) <= 6


@given(st.integers(0, 10**12))
def test_a_short_size_fits_its_column(value: int) -> None:
    assert len(size(value)) <= 9
