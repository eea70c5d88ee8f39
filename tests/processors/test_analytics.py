"""Aggregates of events, through the real engine; the large file through a real consumer."""

import gzip
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import events
from jobdesk.core.errors import ConfigError
from jobdesk.core.outcome import Failed
from jobdesk.desk import Desk
from jobdesk_processors import analytics, periods
from tests.support.context import Bench, bench
from tests.support.home import make_home, until


@pytest.fixture
def desk(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", analytics)


def lines(*rows: tuple[Any, ...], **more: Any) -> str:
    return "".join(
        json.dumps({"timestamp": at, "event": event, **dict(rest), **more}) + "\n" for at, event, *rest in rows
    )


DAY = {"start": "2026-11-01", "end": "2026-11-01"}


def counted(desk: Bench, source: Path | str, **data: Any) -> dict[str, Any]:
    result = desk.run("analytics-aggregation", {"source": str(source), "dateRange": DAY} | data).result
    assert isinstance(result, dict)
    return result


def test_the_same_events_come_to_the_same_numbers_from_every_kind_of_file(desk: Bench, tmp_path: Path) -> None:
    rows = [("2026-11-01T10:00:00Z", "page_view")] * 4 + [("2026-11-01T11:00:00+01:00", "purchase")]
    rows += [("2026-11-02T00:00:00Z", "page_view")]
    (tmp_path / "a.ndjson").write_text(lines(*rows))
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(lines(*rows).encode()))
    (tmp_path / "c.csv").write_text("event;timestamp\n" + "".join(f"{event};{at}\n" for at, event in rows))
    with sqlite3.connect(tmp_path / "d.whatever") as made:
        made.execute("CREATE TABLE events (timestamp, event, other)")
        made.executemany("INSERT INTO events VALUES (?, ?, 1)", rows)
    made.close()
    for file in ("a.ndjson", "b.ndjson.gz", "c.csv", "d.whatever"):
        result = counted(desk, tmp_path / file)
        assert (result["events"], result["outside"], result["bad"]) == (5, 1, 0), file
        assert result["windows"][0]["metrics"] == {"page_views": 4, "purchases": 1, "conversion_rate": 25}, file
    assert counted(desk, tmp_path / "?.*", dateRange=DAY)["events"] == 20


def test_counting_again_replaces_and_a_late_event_is_counted_once(desk: Bench, tmp_path: Path) -> None:
    file = tmp_path / "[1] a*.ndjson"
    file.write_text(lines(("2026-11-01T10:00:00Z", "page_view")))
    first, again = counted(desk, file), counted(desk, file)
    assert first["changed"] == ["2026-11-01"] and again["changed"] == []
    assert len(desk.ran[0].assets) == 1 and desk.ran[1].assets == []
    with file.open("a") as stream:
        stream.write(lines(("2026-11-01T09:00:00Z", "page_view")))
    (late,) = counted(desk, file)["windows"]
    assert (late["events"], late["revision"]) == (2, 2)
    kept = json.loads(Path(late["path"]).read_text())
    assert kept["metrics"]["page_views"] == 2 and desk.ran[2].assets[0]["id"] == desk.ran[0].assets[0]["id"]


def test_bad_lines_are_counted_and_named_and_harm_no_other(desk: Bench, tmp_path: Path) -> None:
    good = lines(("2026-11-01T10:00:00Z", "page_view"))
    bad = '{"timestamp": "2026-11-01T\n' + lines(("yesterday", "page_view")) + '"text"\n[]\n'
    (tmp_path / "a.ndjson").write_bytes((good + "\n" + bad).encode() + b'{"timestamp\xff": 1}\n' + good.encode())
    result = counted(desk, tmp_path / "a.ndjson")
    assert (result["events"], result["bad"]) == (2, 5)
    said = "\n".join(result["bad_lines"])
    assert "a.ndjson, line 3: no JSON" in said and "line 4: 'yesterday' is no time" in said
    assert "line 5: no timestamp" in said and "line 7: " in said
    (tmp_path / "b.csv").write_text('timestamp,event\n2026-11-01,page_view\n2026-11-01,a,b,c\nnever,x\n"2026')
    result = counted(desk, tmp_path / "b.csv")
    assert (result["events"], result["bad"]) == (1, 3)
    assert "b.csv, line 4: 'never' is no time" in result["bad_lines"]


def test_windows_are_those_of_a_timezone_through_changes_of_its_clocks(desk: Bench, tmp_path: Path) -> None:
    # 25 October 2026 has 25 hours in Berlin: from 22:00 UTC the day before to 23:00 UTC
    at = [f"2026-10-24T{hour}:30:00Z" for hour in (21, 22, 23)] + [f"2026-10-25T{hour:02}:30:00Z" for hour in range(24)]
    (tmp_path / "a.ndjson").write_text(lines(*((one, "page_view") for one in at)))
    span = {"start": "2026-10-25", "end": "2026-10-25"}
    berlin = {"timezone": "Europe/Berlin", "dateRange": span}
    (day,) = counted(desk, tmp_path / "a.ndjson", **berlin)["windows"]
    assert (day["start"], day["end"], day["events"]) == ("2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z", 25)
    hours = counted(desk, tmp_path / "a.ndjson", type="hourly", **berlin)["windows"]
    assert len(hours) == 25 and len({one["window"] for one in hours}) == 25
    assert [one["events"] for one in hours] == [1] * 25
    for grain, name, events_ in (("weekly", "2026-W43", 26), ("monthly", "2026-10", 27)):
        (one,) = counted(desk, tmp_path / "a.ndjson", type=grain, **berlin)["windows"]
        assert (one["window"], one["events"]) == (name, events_)
    half = counted(desk, tmp_path / "a.ndjson", type="hourly", timezone="Asia/Kolkata", dateRange=span)["windows"]
    assert half[0]["start"] == "2026-10-24T18:30:00.000Z" and sum(one["events"] for one in half) == 21


def test_metrics_of_ones_own_by_event_fields_and_kinds(desk: Bench, tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    rows = [("buy", "a", "DE", 0.1), ("buy", "a", "DE", 0.2), ("buy", "b", "FR", "7.5"), ("look", "c", "DE", None)]
    file.write_text(
        "".join(
            json.dumps(
                {"timestamp": 1_793_520_000 + n, "event": event, "who": {"id": who}, "land's \"x": land, "sum": paid}
            )
            + "\n"
            for n, (event, who, land, paid) in enumerate(rows)
        ).replace("land's \\\"x", "land")
    )
    metrics = {
        "revenue": {"kind": "sum", "event": "buy", "field": "sum", "where": {"land": ["DE", "it's"]}},
        "basket": {"kind": "average", "field": "sum"},
        "people": {"kind": "unique", "field": "who.id"},
        "buyers": {"kind": "unique", "field": "who.id", "event": ["buy", "order'; DROP TABLE x --"]},
        "share": {"kind": "ratio", "of": "buyers", "to": "people"},
        "none": {"kind": "ratio", "of": "revenue", "to": "purchases", "percent": True},
    }
    (window,) = counted(desk, file, metrics=metrics)["windows"]
    assert window["metrics"] == {
        "revenue": 0.3, "basket": 2.6, "people": 3, "buyers": 2, "share": 0.666667, "none": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "/nowhere.ndjson"}, "no file /nowhere.ndjson"),
        ({"source": "{}", "metrics": ["pages"]}, "page_views, purchases, conversion_rate"),
        ({"source": "{}", "dateRange": {"start": "2026-11-02", "end": "2026-11-01"}}, "not after"),
        ({"source": "{}", "dateRange": {"start": "soon", "end": "2026-11-01"}}, "'soon' is no time"),
        ({"source": "{}", "type": "hourly", "dateRange": {"start": "2000-01-01", "end": "2026-11-01"}}, "10,000"),
    ],
)
def test_what_cannot_be_counted_says_why_for_good(desk: Bench, tmp_path: Path, data: dict[str, Any], said: str) -> None:
    (tmp_path / "a.ndjson").write_text("")
    given = (
        {"dateRange": DAY}
        | data
        | {"source": data["source"].format() if data["source"] != "{}" else str(tmp_path / "a.ndjson")}
    )
    ran = desk.run("analytics-aggregation", given)
    assert said in ran.error.message and isinstance(ran.outcome, Failed) and not ran.error.retryable


def test_names_of_fields_are_checked_before_anything_is_read(desk: Bench, tmp_path: Path) -> None:
    for metric in (
        {"kind": "sum", "field": "a']) FROM x --"},
        {"kind": "ratio", "of": "a"},
        {"kind": "count", "field": "a"},
    ):
        with pytest.raises(Exception, match="metrics"):
            desk.run("analytics-aggregation", {"metrics": {"own": metric}})
    home = make_home(tmp_path, settings='[analytics.metrics.own]\nkind = "ratio"\nof = "nothing"\nto = "purchases"\n')
    with pytest.raises(ConfigError, match="'own' divides 'nothing'"):
        _ = Desk(home).config


def test_without_a_range_the_last_windows_that_are_over_are_counted(desk: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text("")
    result = desk.run("analytics-aggregation", {"source": str(tmp_path / "a.ndjson"), "late": 2}).result
    assert len(result["windows"]) == 3 and all(one["complete"] for one in result["windows"])
    assert all(one["metrics"]["page_views"] == 0 for one in result["windows"])


def test_a_dropped_file_is_taken_in_once_and_late_files_are_counted_with_the_others(tmp_path: Path) -> None:
    settings = '[[folders]]\npath = "inbox"\npipeline = "analytics-ingest"\nsettle = "200ms"\n'
    home = make_home(tmp_path, settings=settings + 'rescan = "500ms"\nduplicates = "process"\n')
    file = home / "library" / "analytics" / "aggregates" / "daily" / "2026-11-01.json"

    def views() -> int:
        return int(json.loads(file.read_text())["metrics"]["page_views"]) if file.exists() else 0

    with Desk(home) as desk:
        (home / "inbox").mkdir(exist_ok=True)
        for number, expected in ((1, 3), (1, 3), (2, 6)):
            rows = [("2026-11-01T10:00:00Z", "page_view")] * 3 + [(f"2026-11-01T1{number}:00:00Z", "other")]
            before = len(desk.jobs("type:analytics-aggregation state:completed").jobs)
            (home / "inbox" / f"drop-{number}.ndjson").write_text(lines(*rows))
            until(lambda seen: len(desk.jobs("type:analytics-aggregation state:completed").jobs) >= seen + 2, before)
            assert views() == expected
    assert len(list((home / "library" / "analytics" / "events").iterdir())) == 2


def test_two_hundred_thousand_events_through_a_consumer_come_to_the_right_numbers(tmp_path: Path) -> None:
    done = events.run(tmp_path, 200_000)
    assert all(0 < one["bytes"] < 300_000_000 for one in done.values())


@pytest.mark.soak
def test_ten_million_events_take_less_than_300_mb(tmp_path: Path) -> None:
    done = events.run(tmp_path, 10_000_000)
    assert all(0 < one["bytes"] < 300_000_000 for one in done.values())


def test_names_and_words_of_windows() -> None:
    at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert periods.containing(at, "daily", "Europe/Berlin").name == "2026-11-23"
    assert periods.containing(at, "weekly", "UTC").words == "Week 47, 16 to 22 November 2026"
    assert periods.containing(at, "monthly", "UTC").before().name == "2026-10"
    assert periods.containing(at, "hourly", "Asia/Kolkata").name == "2026-11-23T05+0530"
