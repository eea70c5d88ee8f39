"""The table of the queue measurements says what was found, what was not, and which goals are reached."""

import pytest

from benchmarks import peers, table
from benchmarks.goals import judge
from benchmarks.peers import Missing
from benchmarks.results import Results
from benchmarks.work import payload
from jobdesk.core.text import to_json


def found() -> Results:
    results = Results(notes=["RQ: not measured: no redis-server."], versions={"huey": "huey 3.5.4"})
    for drained in (9_000.0, 12_345.0, 20_000.0):
        results.add("jobdesk", {"drain": drained, "submit": 3_000.0, "pickup": [1.0, 1.2, 9.0], "rss_mb": 60.4})
    results.add("jobdesk", {"idle_cpu20": 0.5, "lost": 0, "back_s": 0.41})
    results.add("huey", {"drain": 2_000.0, "submit": 4_000.0, "lost": 4, "back_s": -1.0, "rss_mb": 35, "others_mb": 13})
    return results


def render(results: Results) -> str:
    titles = {"jobdesk": ("**jobdesk**", "full"), "huey": ("Huey", "full"), "rq": ("RQ", "snapshots")}
    return table.render(results, titles, judge(results), {"CPU": "one, 2 cores"}, "how", 200_000, 1_000_000)


def test_each_queue_that_was_measured_has_a_row_of_medians() -> None:
    lines = render(found()).splitlines()
    cells = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines if "|" in line
    }
    assert cells["**jobdesk**"] == [
        "full",
        "3,000",
        "–",
        "12,300",
        "–",
        "1.20 / 9.00",
        "–",
        "60",
        "all back, after 0.41 s",
    ]
    assert cells["Huey"] == ["full", "4,000", "–", "2,000", "–", "–", "–", "35 + 13", "4 of 104 not back"]
    assert "RQ" not in cells


def test_what_is_missing_and_the_machine_are_said() -> None:
    text = render(found())
    assert "- RQ: not measured: no redis-server." in text
    assert "CPU: one, 2 cores" in text
    assert "huey 3.5.4" in text


def test_goals_are_judged_by_the_medians() -> None:
    reached = {one.goal: one.reached for one in judge(found())}
    assert reached["drain: 6x SqliteHuey at its defaults"] is True
    assert reached["submit one by one: 1.5x SqliteHuey at its defaults"] is False
    assert reached["idle CPU with 20 queues: 0.3 % of a core"] is False
    assert reached["submit a batch: 100,000/s"] is None


def test_a_payload_is_200_bytes_of_json() -> None:
    assert len(to_json(payload(4_711, at=12_345.678, sleep=5.0))) in range(190, 201)


def test_a_peer_that_is_not_there_says_so() -> None:
    class Nobody(peers.Peer):
        package = "no-such-queue"

    with pytest.raises(Missing, match="no-such-queue is not installed"):
        Nobody().check()
