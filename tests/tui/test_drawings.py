"""What charts show, as numbers."""

from jobdesk.ledger.latency import Minute
from jobdesk.tui.drawings import by_type, depths, latency, throughput

NOW = 60_000_030.0
MINUTE = int(NOW // 60)


def test_throughput_has_a_line_for_each_that_is_not_nothing() -> None:
    drawing = throughput([(0, 0)] * 55 + [(8, 0)] * 5, 10)
    assert [line.name for line in drawing.lines] == ["completed"]
    assert drawing.lines[0].points[0] == (-9.0, 0.0)
    assert drawing.lines[0].points[-1] == (0.0, 8.0)
    assert [said for _, said in drawing.ticks] == ["0", "4", "8"]
    assert throughput([(0, 0)] * 60, 60).lines == ()


def test_spans_stand_on_a_scale_of_tens() -> None:
    took = (0.02, 0.5, 90.0)
    drawing = latency([Minute(MINUTE - 1, took, took), Minute(MINUTE - 50, took, took)], NOW, 10)
    assert [said for _, said in drawing.ticks] == ["10ms", "100ms", "1s", "10s", "1m", "10m"]
    assert [len(line.points) for line in drawing.lines] == [1, 1, 1]
    heights = [line.points[0][1] for line in drawing.lines]
    assert drawing.ticks[0][0] <= heights[0] < heights[1] < heights[2] <= drawing.ticks[-1][0]
    nothing = (0.0, 0.0, 0.0)
    assert [said for _, said in latency([Minute(MINUTE, nothing, nothing)], NOW, 10).ticks] == ["1ms", "10ms"]
    assert latency([], NOW, 10).lines == ()


def test_the_fullest_queues_have_a_line_with_what_waits_now() -> None:
    found = [(MINUTE - 2, "a", 5), (MINUTE, "a", 1), (MINUTE - 1, "b", 9), (MINUTE - 90, "old", 99)]
    drawing = depths(found, [("a", 4), ("c", 0)], NOW, 10)
    assert [line.name for line in drawing.lines] == ["a", "b"]
    assert drawing.lines[0].points[-3:] == ((-2.0, 5.0), (-1.0, 0.0), (0.0, 4.0))
    assert depths([], [], NOW, 10).lines == ()


def test_types_beyond_the_commonest_are_left_out() -> None:
    drawing = by_type([(MINUTE, f"t{number}", number) for number in range(1, 9)], NOW, 10)
    assert [line.name for line in drawing.lines] == ["t8", "t7", "t6", "t5"]
