"""Ten million events counted: how long it takes, and how much memory.

    python -m benchmarks.events [--events 10000000] [--folder DIR]

Writes a file of NDJSON events of thirty days (a million users, a few bad lines), runs `analytics-aggregation` over it
on a home of its own through a real consumer, and checks every number against those that were written.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobdesk import Desk

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
BAD_EVERY = 100_003
"""So many events are followed by a line that is none."""


def write(file: Path, events: int, seed: int = 1) -> dict[str, Any]:
    """Write so many events; what counting them must come to, by day: page_views, purchases, revenue in cents."""
    chance = random.Random(seed)
    users = max(1, events // 10)
    days = [{"page_views": 0, "purchases": 0, "cents": 0} for _ in range(DAYS)]
    seen: set[int] = set()
    bad = 0
    starts = [f"{FIRST + timedelta(days=day):%Y-%m-%d}" for day in range(DAYS)]
    with file.open("w", encoding="utf-8") as stream:
        for number in range(1, events + 1):
            pick = chance.random()
            day, second, user = int(pick * DAYS), int(pick * 1e9) % 86_400, int(pick * 1e12) % users
            at = f"{starts[day]}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
            seen.add(user)
            if number % 50:
                days[day]["page_views"] += 1
                stream.write(
                    f'{{"timestamp":"{at}","event":"page_view","user":"u{user}","path":"/shop/{user % 97}"}}\n'
                )
            else:
                cents = 100 + user % 9900
                days[day]["purchases"] += 1
                days[day]["cents"] += cents
                amount = f"{cents // 100}.{cents % 100:02}"
                stream.write(f'{{"timestamp":"{at}","event":"purchase","user":"u{user}","amount":{amount}}}\n')
            if number % BAD_EVERY == 0:
                bad += 1
                stream.write('{"timestamp": "2026-10-01T00:0\n')
    return {"days": days, "users": len(seen), "bad": bad}


METRICS = """
[analytics.metrics.revenue]
kind = "sum"
event = "purchase"
field = "amount"
[analytics.metrics.visitors]
kind = "unique"
field = "user"
"""


def run(folder: Path, events: int, say: Any = lambda line: None) -> dict[str, Any]:
    """Write, count and check; seconds and bytes of the job.

    Raises:
        AssertionError: a number is wrong.
    """
    home = folder / "home"
    home.mkdir(mode=0o700, parents=True)
    (home / "jobdesk.toml").write_text(METRICS)
    file = folder / "events.ndjson"
    begun = time.monotonic()
    right = write(file, events)
    say(f"wrote {events:,} events, {file.stat().st_size / 1e6:,.0f} MB, in {time.monotonic() - begun:.0f} s")
    last = FIRST + timedelta(days=DAYS)
    wide = {"source": str(file), "dateRange": {"start": f"{FIRST:%Y-%m-%d}", "end": last.isoformat()}}
    with Desk(home) as desk:
        daily = desk.wait(desk.submit("analytics-aggregation", wide).id, timeout="1h")
        monthly = desk.wait(desk.submit("analytics-aggregation", wide | {"type": "monthly"}).id, timeout="1h")
    for job in (daily, monthly):
        assert job.state == "completed", job.error
        assert job.result["bad"] == right["bad"], (job.result["bad"], right["bad"])
    for window, day in zip(daily.result["windows"], right["days"], strict=True):
        found = window["metrics"]
        assert (found["page_views"], found["purchases"]) == (day["page_views"], day["purchases"]), window
        assert round(found["revenue"] * 100) == day["cents"], (window, day)
    (month,) = monthly.result["windows"]
    assert month["metrics"]["visitors"] == right["users"], (month, right["users"])
    return {
        name: {"seconds": (job.finished_at or 0) - (job.started_at or 0), "bytes": job.max_rss_bytes or 0}
        for name, job in (("daily", daily), ("monthly", monthly))
    }


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        done = run(Path(folder), args.events, lambda line: None if args.json else print(line))
    if args.json:
        print(json.dumps(done))
        return
    for name, one in done.items():
        print(f"{name}: {one['seconds']:.1f} s, {one['bytes'] / 1e6:.0f} MB at the most; every number is right")


if __name__ == "__main__":
    main(sys.argv[1:])
