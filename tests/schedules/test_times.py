"""Cron times in timezones: through both changes of the clocks, ahead and back the same, errors in a sentence."""

from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.schedules import times

HOUR, DAY = 3600.0, 86400.0


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(instants: list[float]) -> list[str]:
    return [datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M") for at in instants]


def nexts(cron: str, zone: str, since: str, count: int) -> list[str]:
    return shown(list(islice(times.after(cron, ZoneInfo(zone), utc(since)), count)))


@pytest.mark.parametrize(
    ("zone", "cron", "since", "fires"),
    [
        # 2027-03-28 02:00 CET becomes 03:00 CEST, at 01:00 UTC
        ("Europe/Berlin", "30 2 * * *", "2027-03-27T00:00", ["03-27 01:30", "03-28 01:00", "03-29 00:30"]),
        # 2027-03-14 02:00 EST becomes 03:00 EDT, at 07:00 UTC
        ("America/New_York", "15 2 * * *", "2027-03-13T00:00", ["03-13 07:15", "03-14 07:00", "03-15 06:15"]),
        # 2027-10-03 02:00 becomes 02:30, at 15:30 UTC the day before
        ("Australia/Lord_Howe", "10 2 * * *", "2027-10-01T00:00", ["10-01 15:40", "10-02 15:30", "10-03 15:10"]),
        # 2027-09-05 00:00 becomes 01:00, at 04:00 UTC: midnight itself does not exist
        ("America/Santiago", "0 0 * * *", "2027-09-04T00:00", ["09-04 04:00", "09-05 04:00", "09-06 03:00"]),
    ],
)
def test_a_time_that_does_not_exist_comes_once_right_after_the_gap(
    zone: str, cron: str, since: str, fires: list[str]
) -> None:
    assert nexts(cron, zone, since, 3) == fires


@pytest.mark.parametrize(
    ("zone", "cron", "since", "fires"),
    [
        # 2027-10-31 03:00 CEST becomes 02:00 CET, at 01:00 UTC
        ("Europe/Berlin", "30 2 * * *", "2027-10-30T00:00", ["10-30 00:30", "10-31 00:30", "11-01 01:30"]),
        # 2027-11-07 02:00 EDT becomes 01:00 EST, at 06:00 UTC
        ("America/New_York", "30 1 * * *", "2027-11-06T00:00", ["11-06 05:30", "11-07 05:30", "11-08 06:30"]),
        # 2027-04-04 02:00 becomes 01:30, at 15:00 UTC the day before
        ("Australia/Lord_Howe", "45 1 * * *", "2027-04-02T00:00", ["04-02 14:45", "04-03 14:45", "04-04 15:15"]),
    ],
)
def test_a_time_that_exists_twice_comes_once(zone: str, cron: str, since: str, fires: list[str]) -> None:
    assert nexts(cron, zone, since, 3) == fires


def test_several_times_in_one_gap_are_one_and_with_the_time_after_it() -> None:
    assert nexts("*/20 * * * *", "Europe/Berlin", "2027-03-28T00:30", 4) == [
        "03-28 00:40",
        "03-28 01:00",
        "03-28 01:20",
        "03-28 01:40",
    ]


def test_asked_within_the_repeated_hour_nothing_of_the_first_comes_again() -> None:
    second_pass = "2027-10-31T01:10"  # 02:10 CET, the second 02:10 of that night
    assert nexts("30 2 * * *", "Europe/Berlin", second_pass, 1) == ["11-01 01:30"]
    since, until = utc("2027-10-31T00:10"), utc(second_pass)
    assert shown(times.between("*/20 * * * *", ZoneInfo("Europe/Berlin"), since, until, 10)) == [
        "10-31 00:20",
        "10-31 00:40",
    ]


@given(
    cron=st.sampled_from(
        [
            "*/7 * * * *",
            "30 2 * * *",
            "0 * * * *",
            "15 1,2,3 * * sun",
            "0 0 L * *",
            "5 4 29 2 *",
            "0 0 13 * fri",
            "@daily",
        ]
    ),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"]
    ),
    start=st.integers(int(utc("2024-01-01")), int(utc("2030-01-01"))),
    span=st.integers(0, 3 * 86400),
)
def test_looking_back_finds_what_looking_ahead_finds(cron: str, zone: str, start: int, span: int) -> None:
    where = ZoneInfo(zone)
    ahead = list(takewhile(lambda at: at <= start + span, times.after(cron, where, start)))
    assert times.between(cron, where, start, start + span, 10_000) == ahead
    assert times.between(cron, where, start, start + span, 3) == ahead[-3:]
    assert ahead == sorted(set(ahead))
    assert all(at > start for at in ahead)


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    day=st.integers(0, 3 * 365),
)
def test_a_daily_time_comes_once_on_every_day_of_the_calendar(zone: str, day: int) -> None:
    where = ZoneInfo(zone)
    since = utc("2026-01-01") + day * DAY
    days = [datetime.fromtimestamp(at, where).date() for at in islice(times.after("30 2 * * *", where, since), 5)]
    assert [(later - earlier).days for earlier, later in pairwise(days)] == [1] * 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("* * * *", "has 4 fields instead of five"),
        ("* * * * * *", "has 6 fields instead of five"),
        ("", "has 0 fields"),
        ("61 * * * *", "'61 .*' is not a cron expression: write minute"),
        ("a b c d e", "is not a cron expression"),
        ("@reboot", "is not a cron expression"),
        ("R * * * *", "R and H stand for no fixed time"),
        ("0 0 31 2 *", "never comes: no month has that day"),
    ],
)
def test_a_wrong_expression_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        times.check_cron(text)


def test_a_wrong_timezone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="'Europe/Berln' is not a timezone, did you mean 'Europe/Berlin'"):
        times.zone("Europe/Berln")
    for odd in ("", "../etc/passwd", "/etc/localtime", "Mars"):
        with pytest.raises(ValueError, match="is not a timezone"):
            times.zone(odd)


def test_a_one_off_time_without_an_offset_is_wall_time_of_its_zone() -> None:
    berlin = times.zone("Europe/Berlin")
    assert times.moment("2027-01-31T18:00", berlin) == utc("2027-01-31T17:00")
    assert times.moment("2027-01-31T18:00Z", berlin) == utc("2027-01-31T18:00")
    assert times.moment("2027-03-28T02:30", berlin) == utc("2027-03-28T01:00")
    with pytest.raises(ValueError, match="'soon' is not an instant"):
        times.moment("soon", berlin)


def test_an_expression_is_told_in_words() -> None:
    assert times.words("30 2 * * mon-fri") == "At 02:30, Monday through Friday"
    assert times.words("@daily") == times.words("0 0 * * *")
