"""How pictures are fitted: exact sizes, what is cut off, and no pixel more than the picture has."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jobdesk_processors.shapes import Focus, Shape, plan

Size = tuple[int, int]
WIDE, TALL = (4000, 3000), (3000, 4000)


@pytest.mark.parametrize(
    ("size", "shape", "scaled", "made"),
    [
        (WIDE, {"width": 1000}, (1000, 750), (1000, 750)),
        (WIDE, {"height": 300}, (400, 300), (400, 300)),
        (WIDE, {"width": 500, "height": 500}, (500, 375), (500, 375)),
        (WIDE, {"width": 1080, "height": 1080, "fit": "cover"}, (1440, 1080), (1080, 1080)),
        (TALL, {"width": 1600, "height": 900, "fit": "cover"}, (1600, 2133), (1600, 900)),
        (WIDE, {"width": 800, "height": 800, "fit": "pad"}, (800, 600), (800, 800)),
        (WIDE, {"width": 800, "height": 800, "fit": "fill"}, (800, 800), (800, 800)),
        ((400, 300), {"width": 1000}, (400, 300), (400, 300)),
        ((400, 300), {"width": 1000, "upscale": True}, (1000, 750), (1000, 750)),
        ((400, 300), {"width": 1000, "height": 1000, "fit": "cover"}, (400, 300), (300, 300)),
        ((400, 300), {"width": 1000, "height": 1000, "fit": "cover", "upscale": True}, (1333, 1000), (1000, 1000)),
        ((400, 300), {"width": 1000, "height": 1000, "fit": "pad"}, (400, 300), (1000, 1000)),
        ((400, 300), {"width": 1000, "height": 500, "fit": "fill"}, (400, 200), (400, 200)),
    ],
)
def test_each_mode_has_its_size(size: Size, shape: dict[str, Any], scaled: Size, made: Size) -> None:
    planned = plan(size, Shape(**shape))
    assert (planned.scaled, planned.size) == (scaled, made)


@pytest.mark.parametrize(
    ("focus", "left"), [("center", 180), ("left", 0), ("right", 360), ((0.25, 0.5), 0), ((0.6, 0.1), 324)]
)
def test_what_is_cut_off_leaves_the_focus_in_sight(focus: Focus, left: int) -> None:
    planned = plan(WIDE, Shape(width=1080, height=1080, fit="cover", focus=focus))
    assert planned.box == (left, 0, left + 1080, 1080)


@given(
    size=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    width=st.integers(1, 4000),
    height=st.integers(1, 4000),
    fit=st.sampled_from(["contain", "cover", "pad", "fill"]),
    upscale=st.booleans(),
    focus=st.one_of(st.sampled_from(["center", "top-left", "bottom"]), st.tuples(st.floats(0, 1), st.floats(0, 1))),
)
def test_no_plan_leaves_the_picture_or_exceeds_what_was_asked(
    size: Size, width: int, height: int, fit: str, upscale: bool, focus: Focus
) -> None:
    planned = plan(size, Shape(width=width, height=height, fit=fit, upscale=upscale, focus=focus))
    left, top, right, bottom = planned.box
    assert 0 <= left < right <= planned.scaled[0] and 0 <= top < bottom <= planned.scaled[1]
    assert planned.size[0] <= width and planned.size[1] <= height
    if not upscale:
        assert planned.scaled[0] <= size[0] and planned.scaled[1] <= size[1]
    if fit == "pad" or (upscale and fit != "contain"):
        assert planned.size == (width, height)


def test_a_shape_without_a_size_is_no_shape() -> None:
    with pytest.raises(ValidationError, match="give width, height or both"):
        Shape()
    with pytest.raises(ValidationError, match="cover needs both"):
        Shape(width=10, fit="cover")


@pytest.mark.parametrize("focus", ["middle", [2, 0], [0.5], 7, ["a", "b"]])
def test_a_wrong_focus_is_told_in_one_sentence(focus: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Shape.model_validate({"width": 5, "height": 5, "focus": focus})
    (error,) = caught.value.errors()
    assert error["loc"] == ("focus",) and "or a point like [0.5, 0.3]" in error["msg"]
    assert Shape.model_validate({"width": 5, "focus": [1, 0.5]}).focus == (1.0, 0.5)
