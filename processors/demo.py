"""Jobs that `jobdesk demo` shows: small real work that goes well, goes wrong, or takes long."""

import csv
import hashlib
import random
import statistics
import time
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, processor

_PRODUCTS = (("Print A4", 12.9), ("Print A3", 24.9), ("Canvas", 79.0), ("Postcards", 8.5), ("Photo book", 49.9))
_CURRENCIES = ("USD", "GBP", "CHF", "JPY", "SEK", "TRY")


class ServiceUnavailable(Exception):
    """A service answered 503."""


@processor("demo.report", queue="daily-reports", priority="low", timeout="1m", retries=1)
def make_report(ctx: Context, days: Annotated[int, Field(ge=1, le=3660)] = 90, seed: int = 7) -> dict[str, Any]:
    """Work out the sales of some days and write them as a CSV report."""
    chance = random.Random(seed)
    first = date(2026, 1, 1)
    rows: list[tuple[str, str, int, float]] = []
    for number in range(days):
        ctx.checkpoint()
        day = first + timedelta(days=number)
        season = 1.4 if day.weekday() >= 5 else 1.0
        for product, price in _PRODUCTS:
            sold = max(0, round(chance.gauss(14 * season, 5)))
            rows.append((day.isoformat(), product, sold, round(sold * price, 2)))
        ctx.progress(number + 1, days, day.isoformat())
    target = Path(ctx.settings["storage"]["path"]) / "reports" / f"sales-{ctx.job}.csv"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = ctx.workdir / target.name
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("day", "product", "sold", "revenue"))
        writer.writerows(rows)
    target.write_bytes(draft.read_bytes())
    ctx.artifact(target, "report")
    daily = [sum(row[3] for row in rows[at : at + len(_PRODUCTS)]) for at in range(0, len(rows), len(_PRODUCTS))]
    totals = {product: round(sum(row[3] for row in rows if row[1] == product), 2) for product, _ in _PRODUCTS}
    best = max(totals, key=lambda product: totals[product])
    ctx.log.info(f"{len(rows)} rows, {sum(daily):,.2f} in all, most of it with {best}")
    return {
        "rows": len(rows),
        "revenue": round(sum(daily), 2),
        "daily_mean": round(statistics.fmean(daily), 2),
        "daily_spread": round(statistics.pstdev(daily), 2),
        "best": best,
        "file": str(target),
    }


@processor(
    "demo.flaky", queue="analytics-aggregation", timeout="30s", retries=4, retry_delay="2s", backoff="exponential"
)
def convert_rates(ctx: Context, fails: Annotated[int, Field(ge=0, le=20)] = 2, seed: int = 7) -> dict[str, Any]:
    """Cross currency rates, from a service that is down for the first attempts."""
    ctx.log.info(f"asking for the rates of {', '.join(_CURRENCIES)}, attempt {ctx.attempt} of {ctx.max_attempts}")
    if ctx.attempt <= fails:
        raise ServiceUnavailable("rates.example answered 503 Service Unavailable: maintenance, try again shortly")
    chance = random.Random(seed)
    rates = {currency: round(chance.uniform(0.4, 2.0), 4) for currency in _CURRENCIES}
    crossed = {f"{one}/{other}": round(rates[other] / rates[one], 4) for one in rates for other in rates if one < other}
    ctx.progress(len(crossed), len(crossed), "crossed")
    ctx.log.info(f"{len(crossed)} rates after {ctx.attempt - 1} failed attempts")
    return {"attempts": ctx.attempt, "rates": crossed}


@processor("demo.doomed", queue="file-processing", timeout="30s", retries=1, retry_delay="1s", backoff="fixed")
def import_invoices(ctx: Context, rows: Annotated[int, Field(ge=1, le=100_000)] = 400, seed: int = 7) -> dict[str, Any]:
    """Add up an invoice list in which one amount was typed by hand; it ends in the dead letters."""
    chance = random.Random(seed)
    amounts = [f"{chance.uniform(5, 900):.2f}" for _ in range(rows)]
    wrong = rows * 2 // 3
    amounts[wrong] = "1.204,50"
    total = Decimal(0)
    for number, text in enumerate(amounts, 1):
        ctx.checkpoint()
        try:
            total += Decimal(text)
        except InvalidOperation:
            ctx.log.error(f"stopped at row {number}; {number - 1} rows made {total}")
            raise ValueError(f"invoices.csv, row {number}: '{text}' is not an amount (write 1204.50)") from None
        ctx.progress(number, rows, f"row {number}")
    return {"rows": rows, "total": str(total)}


@processor("demo.long", queue="maintenance", timeout="10m", retries=0)
def check_archive(
    ctx: Context,
    shelves: Annotated[int, Field(ge=1, le=10_000)] = 120,
    pace_s: Annotated[float, Field(ge=0, le=60)] = 1.0,
    seed: int = 7,
) -> dict[str, Any]:
    """Go through an archive shelf by shelf and compute its checksums; takes two minutes and may be cancelled."""
    chance = random.Random(seed)
    whole = hashlib.sha256()
    total = 0
    started = time.monotonic()
    for shelf in range(1, shelves + 1):
        content = chance.randbytes(chance.randint(200_000, 2_000_000))
        sum_ = hashlib.sha256(content).hexdigest()
        whole.update(sum_.encode())
        total += len(content)
        ctx.progress(shelf, shelves, f"shelf {shelf}")
        if shelf % 5 == 0 or shelf == shelves:
            ctx.log.info(f"shelf {shelf} of {shelves}: {total / 1e6:.1f} MB checked, last {sum_[:12]}")
        _rest_until(ctx, started + shelf * pace_s)
    return {"shelves": shelves, "bytes": total, "sha256": whole.hexdigest()}


def _rest_until(ctx: Context, moment: float) -> None:
    """Keep the pace, but hear a cancel at once."""
    ctx.checkpoint()
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
        ctx.checkpoint()
