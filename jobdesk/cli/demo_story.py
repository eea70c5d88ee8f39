"""What happens in `jobdesk demo`: work of each family that needs nothing outside, and pictures in between."""

import json
import random
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jobdesk.cli.demo_services import FILM

if TYPE_CHECKING:
    from jobdesk.cli.demo_services import DemoServices
    from jobdesk.home import Home

EVENTS = "library/demo/events.ndjson"
PLUGIN = "processors/greeting.py"
_SETTINGS = f"""\
# The demo's own settings; `jobdesk init --home DIR` writes all there are into a home of yours.
[analytics]
sources = ["{EVENTS}"]
[analytics.metrics.revenue]
kind = "sum"
event = "purchase"
field = "amount"

[[referrals.rules]]
name = "friends"
currency = "EUR"
percent = "10"
levels = ["2"]
"""
_PLUGIN = '''\
"""A processor of one's own: any file like this in HOME/processors is found, also while consumers work."""

from jobdesk import Context, processor


@processor("demo.greeting", timeout="30s")
def greet(ctx: Context, name: str) -> dict:
    """Say hello."""
    ctx.log.info(f"hello {name}")
    return {"greeted": name}
'''
_PLACES = [
    {"businessId": "own", "name": "Trattoria Ada", "followers": 1840, "reels": 31, "likes": 212.5},
    {"businessId": "b2", "name": "Osteria Bo", "followers": 5210, "reels": 64, "likes": 388.0},
    {"businessId": "b3", "name": "Pizzeria Cy", "followers": 960, "reels": 12, "likes": 75.0},
]


class Step(NamedTuple):
    """One thing that the demo does: a job to submit, or else the next picture to drop."""

    type: str | None = None
    data: Mapping[str, Any] = MappingProxyType({})


PHOTO = Step()


def furnish(home: "Home", now: float, services: "DemoServices | None") -> None:
    """Give a home that nobody has used yet the demo's settings, a processor, and a shop's events since yesterday."""
    if home.settings.exists() or home.database.exists():
        return
    events = home.path / EVENTS
    events.parent.mkdir(mode=0o700, exist_ok=True)
    shopping = "".join(f"{json.dumps(one)}\n" for one in _shopping(datetime.fromtimestamp(now, UTC)))
    settings = _SETTINGS + ("" if services is None else services.settings())
    for file, text in ((events, shopping), (home.path / PLUGIN, _PLUGIN), (home.settings, settings)):
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")


def _shopping(now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)
    at = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while at <= now:
        yield {"timestamp": at.isoformat(), "event": "page_view", "page": chance.choice(("/", "/prints", "/books"))}
        if chance.random() < 0.06:
            yield {"timestamp": at.isoformat(), "event": "purchase", "amount": round(chance.uniform(8, 90), 2)}
        at += timedelta(seconds=chance.uniform(60, 400))


def story(
    home: "Home", now: float, long_pace_s: float, photo: str, services: "DemoServices | None" = None
) -> list[Step]:
    """The steps in order; of what needs a library, services or settings that are not there, none."""
    today = datetime.fromtimestamp(now, UTC).date()
    furnished = (home.path / EVENTS).is_file()
    counts = furnished and find_spec("duckdb") is not None
    steps: list[Step | None] = [
        PHOTO,
        Step("demo.long", {"pace_s": long_pace_s}),
        PHOTO,
        Step("demo.flaky"),
        Step("command", {"argv": ["sh", "-c", "uname -a; df -h .; date"]}),
        PHOTO,
        Step("demo.doomed"),
        Step(
            "image-generation",
            {"prompt": "A lighthouse at dusk", "platforms": ["instagram-post"], "provider": "placeholder"},
        ),
        PHOTO,
        Step("demo.report"),
        Step("file-processing", {"source": photo, "operations": ["validate", "thumbnail"]}),
        Step("email-preview", {"template": "daily_reminder", "data": {"name": "Ada", "items": ["water the plants"]}}),
        PHOTO,
        Step(
            "analytics-aggregation",
            {"type": "daily", "dateRange": {"start": str(today - timedelta(days=1)), "end": str(today)}},
        )
        if counts
        else None,
        Step("demo.report", {"days": 365, "seed": 11}),
        *(_sale() if furnished else ()),
        Step("generate-competitor-report", {"analysisData": _PLACES, "businessId": "own", "formats": ["html", "json"]}),
        PHOTO,
        *(_called(home) if services is not None else ()),
        *(_own(home) if (home.path / PLUGIN).is_file() else ()),
        Step("backup", {"keep": 3}),
        Step("file-cleanup", {"dryRun": True}),
        Step("update-queue-stats"),
        Step("demo.flaky", {"fails": 1, "seed": 3}),
        Step("report", {"type": "daily_jobs", "date": str(today), "formats": ["html"]}),
    ]
    return [step for step in steps if step is not None]


def _called(home: "Home") -> list[Step]:
    """What calls others, who are the demo's own test services."""
    order = {"payment": "order-1042", "amount": "129.90", "currency": "EUR"}
    place = {"businessName": "Trattoria Ada", "location": "New York, NY"}
    films = find_spec("av") is not None and find_spec("fpdf") is not None
    return [
        Step("email", {"to": "ada@example.org", "subject": "Your order", "text": "Thank you. It is on its way."}),
        Step("payment-retry", {"provider": "yookassa", "payment_method": "test-card", **order}),
        Step("http_request", {"service": "demo-shop", "path": "/orders.json"}),
        Step("webhook", {"service": "demo-shop", "path": "/hooks", "event": "order.paid", "data": {"order": "1042"}}),
        Step("demo.film", {"place": str(home.path / FILM)}) if films else Step("discover-with-instagram", place),
    ]


def _own(home: "Home") -> list[Step]:
    """A processor of one's own, what happens as a stream, and the HTTP API."""
    here = [sys.executable, "-m", "jobdesk", "--home", str(home.path)]
    steps = [Step("demo.greeting", {"name": "Ada"}), Step("command", {"argv": [*here, "events", "--json"]})]
    if find_spec("starlette") is not None and find_spec("uvicorn") is not None:
        steps.append(Step("command", {"argv": [sys.executable, "-m", "jobdesk.cli.demo_api", str(home.path)]}))
    return steps


def _sale() -> list[Step]:
    """A sale that two people brought, and a part of it given back."""
    sale = {"source": "order-1042", "amount": "129.90", "currency": "EUR"}
    return [
        Step("referral-commission", {**sale, "referrers": ["ada", "bob"]}),
        Step("referral-commission", {"source": "order-1042", "amount": "29.90", "currency": "EUR", "refund": "r-7"}),
    ]
