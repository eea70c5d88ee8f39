"""The graph of a flow: every edge is drawn, whatever its shape."""

from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.job import Job, State
from jobdesk.tui.glyphs import ASCII, UNICODE, Glyphs
from jobdesk.tui.graph import graph


def job(name: str, *after: str, state: State = State.BLOCKED) -> Job:
    return Job(
        seq=0, id=name, type="command", queue="default", state=state, priority=50, data={}, created_at=0.0,
        run_at=0.0, attempt=0, max_attempts=1, fence=0, after=after, step=name,
    )  # fmt: skip


def lines_of(jobs: list[Job], glyphs: Glyphs = UNICODE) -> list[str]:
    return ["".join(text for text, _ in line) for line in graph(jobs, [], 200, 0.0, glyphs)]


def test_a_chain_is_one_lane() -> None:
    assert [line.split()[:2] for line in lines_of([job("a"), job("b", "a"), job("c", "b")])] == [
        ["↳", "a"], ["↳", "b"], ["↳", "c"],
    ]  # fmt: skip


def test_fan_out_opens_lanes_and_fan_in_joins_them() -> None:
    jobs = [job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c")]
    lines = lines_of(jobs)
    assert [line[:4].rstrip() for line in lines] == ["↳", "├─╮", "↳ │", "│ ↳", "├─╯", "↳"]


def test_an_edge_that_passes_another_crosses_it() -> None:
    jobs = [job("a"), job("b", "a"), job("c", "a"), job("d", "a"), job("e", "b", "d"), job("f", "c", "e")]
    lines = lines_of(jobs)
    assert any(line.startswith("├─┼─╯") for line in lines)


@st.composite
def flows(draw: st.DrawFn) -> list[Job]:
    jobs: list[Job] = []
    for number in range(draw(st.integers(1, 12))):
        parents = draw(st.sets(st.sampled_from([one.id for one in jobs]), max_size=4)) if jobs else set()
        jobs.append(job(f"s{number}", *sorted(parents)))
    return jobs


@given(flows())
def test_every_step_has_one_line_and_every_edge_leads_down_to_it(jobs: list[Job]) -> None:
    lines = lines_of(jobs)
    steps = [line for line in lines if "↳" in line]
    assert [line.split("↳")[1].split("command")[0].split()[-1] for line in steps] == [one.id for one in jobs]
    for at, one in enumerate(jobs[:-1]):
        known = {before.id for before in jobs[: at + 1]}
        goes_on = any(parent in known for child in jobs[at + 1 :] for parent in child.after)
        below = lines[lines.index(steps[at]) + 1]
        assert any(sign in below for sign in "│├↳┼") or not goes_on, (one.id, below)


@given(flows())
def test_ascii_draws_nothing_beyond_seven_bits(jobs: list[Job]) -> None:
    assert all(text.isascii() for line in graph(jobs, [], 80, 0.0, ASCII) for text, _ in line)
