"""The jobs of the demo do what the demo says of them."""

import csv
from importlib.resources import files
from pathlib import Path

from jobdesk.core.outcome import Stopped
from tests.support.context import Bench


def test_the_report_holds_the_numbers_it_tells(desk: Bench) -> None:
    ran = desk.run("demo.report", {"days": 10})
    with Path(ran.result["file"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ran.result["rows"] == 50
    assert round(sum(float(row["revenue"]) for row in rows), 2) == ran.result["revenue"]
    assert ran.artifacts == [ran.result["file"]]


def test_the_flaky_one_succeeds_at_its_third_attempt(desk: Bench) -> None:
    errors = [desk.run("demo.flaky", {}, attempt=attempt).error for attempt in (1, 2)]
    assert {error.type for error in errors} == {"ServiceUnavailable"} and all(error.retryable for error in errors)
    assert desk.run("demo.flaky", {}, attempt=3).result["attempts"] == 3


def test_the_doomed_one_fails_every_time_at_the_same_row(desk: Bench) -> None:
    messages = {desk.run("demo.doomed", {}, attempt=attempt).error.message for attempt in (1, 2)}
    assert messages == {"invoices.csv, row 267: '1.204,50' is not an amount (write 1204.50)"}


def test_the_long_one_reports_each_step_and_may_be_cancelled(desk: Bench) -> None:
    done = desk.run("demo.long", {"shelves": 7, "pace_s": 0})
    assert done.result["shelves"] == 7 and done.lines
    assert [said["progress"] for said in done.said if "progress" in said][-1] == [7.0, 7.0, "shelf 7"]
    desk.cancelled = "cancelled"
    assert desk.run("demo.long", {}).outcome == Stopped("cancelled")


def test_the_demo_photos_go_through_the_whole_flow(desk: Bench) -> None:
    photos = [Path(str(one)) for one in (files("jobdesk_assets") / "photos").iterdir() if not one.name.startswith("__")]
    photos = [one for one in photos if one.suffix in (".jpg", ".png", ".webp")]
    assert len(photos) == 8 and sum(one.stat().st_size for one in photos) < 3_000_000
    records = {
        one.name: desk.flow("IMAGE_UPLOAD_REQUESTED", {"source": one})["DATABASE_UPDATE"].assets[0] for one in photos
    }
    assert all(len(record["renditions"]) == 3 for record in records.values())
    assert "gps" in records["dunes-at-dusk.jpg"]["metadata"]["exif"]
    assert records["forest-in-mist.jpg"]["width"] < records["forest-in-mist.jpg"]["height"]
    assert records["balloon.png"]["metadata"]["transparent"]
