"""A payload as it is stored: the same JSON whichever encoder wrote it, and refused where it is none."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.errors import PayloadError
from jobdesk.core.processor import MARK, Processor, processor
from jobdesk.core.text import to_json


@processor("TAKES", isolation="thread")
def takes(ctx: Any, value: Any = None, path: Path | None = None, paths: list[Path] = [], number: float = 1.0) -> None:  # noqa: B006
    """Takes anything."""


TAKES: Processor = getattr(takes, MARK)
TEXT = st.text(st.characters(codec=None))  # lone surrogates too, as in names of files that are no UTF-8
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["NaN", "-Infinity"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_stored_is_what_pydantic_has_made_plain(value: Any) -> None:
    try:
        plain = TAKES.payload.model_validate({"value": value}).model_dump(mode="json")
    except ValueError:  # a name in a table that is no UTF-8
        with pytest.raises(PayloadError, match="TAKES: its payload cannot be stored as JSON"):
            TAKES.checked({"value": value})
        return
    stored = TAKES.checked({"value": value})
    assert json.loads(stored) == json.loads(to_json(plain)) == TAKES.check({"value": value}) == plain
    stored.encode()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_number_in_json_is_refused(number: float) -> None:
    with pytest.raises(PayloadError, match="cannot be stored as JSON"):
        TAKES.checked({"number": number})


def test_paths_are_meant_from_where_the_submitter_stands() -> None:
    stored = TAKES.check({"path": "a.jpg", "paths": ["b.jpg"], "value": {"in": [Path("c.jpg")]}})
    here = Path.cwd()
    assert (stored["path"], stored["paths"]) == (str(here / "a.jpg"), [str(here / "b.jpg")])
    assert stored["value"] == {"in": [str(here / "c.jpg")]} and stored["number"] == 1.0


def test_a_value_that_comes_later_is_stored_as_it_is() -> None:
    assert TAKES.check({"number": "{steps.a.result}"}, later={"number", "unknown"})["number"] == "{steps.a.result}"
    with pytest.raises(PayloadError, match="cannot be stored as JSON"):
        TAKES.checked({"number": Path("a")}, later={"number"})


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(PayloadError, match="TAKES: Input should be a valid string"):
        TAKES.checked({"\ud800": 1})
