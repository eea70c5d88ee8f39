"""Referral commissions by a real consumer: each sale once, each refund once, and statistics that agree with both."""

import random
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from jobdesk.ledger import referrals
from tests.support.factory import error_of
from tests.support.home import Answer, consumer, end, kill, make_home, said, until

RULES = """
[types.referral-commission]
retry_delay = "20ms"
backoff = "fixed"
[[referrals.rules]]
name = "partners"
percent = "10"
tiers = [{ sales = 2, percent = "12.5" }, { sales = 4, percent = "15" }]
levels = ["2", "0.5"]
[[referrals.rules]]
name = "flat"
fixed = "5.00"
currency = "EUR"
most_a_month = "12"
[[referrals.rules]]
name = "capped"
percent = 50
most = "20"
currency = "EUR"
"""


def sale(desk: Desk, source: str, amount: str = "100", *referrers: str, **over: Any) -> Job:
    data = {"source": source, "amount": amount, "currency": "EUR", "referrers": referrers or ["ada"]} | over
    return desk.wait(desk.submit("referral-commission", data).id, timeout=60)


def refund(desk: Desk, source: str, name: str, **over: Any) -> Job:
    return desk.wait(desk.submit("referral-commission", {"source": source, "refund": name} | over).id, timeout=60)


def amounts(job: Job) -> list[str]:
    assert job.state is State.COMPLETED, job.error
    return [one["amount"] for one in job.result["commissions"]]


def agree(desk: Desk) -> None:
    """The statistics are what the transactions come to."""
    rows = referrals.transactions(desk.ledger, limit=10_000)
    for one in referrals.statistics(desk.ledger):
        own = [row for row in rows if (row["referrer"], row["currency"]) == (one["referrer"], one["currency"])]
        assert one["earned"] == sum(row["amount"] for row in own if not row["refund"])
        assert one["reversed"] == -sum(row["amount"] for row in own if row["refund"])
        first = [row for row in own if row["level"] == 1]
        assert one["turnover"] == sum(-row["basis"] if row["refund"] else row["basis"] for row in first)


def test_levels_tiers_refunds_and_statistics(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, "", RULES)) as desk:
        job = sale(desk, "o1", "99.95", "ada", "bob", "eve")
        assert amounts(job) == ["10.00", "1.99", "0.50"] and job.result["total"] == "12.49"
        assert [one["rate"] for one in job.result["commissions"]] == ["10%", "2%", "0.5%"]
        assert not job.result["existed"]
        again = sale(desk, "o1", "99.95", "ada", "bob", "eve")
        assert again.result == job.result | {"existed": True}
        assert "recorded with other referrers" in error_of(sale(desk, "o1", "99.95", "bob")).message
        assert "recorded with other" in error_of(sale(desk, "o1", "99.96", "ada", "bob", "eve")).message

        assert amounts(sale(desk, "o2")) == ["10.00"]
        assert amounts(sale(desk, "o3")) == ["12.50"], "from the second sale on"
        assert amounts(refund(desk, "o2", "r1", amount="50", currency="EUR")) == ["-5.00"]
        assert amounts(refund(desk, "o2", "r1")) == ["-5.00"], "the same refund takes back once"
        assert amounts(refund(desk, "o2", "r2")) == ["-5.00"], "the rest"
        assert "more than is left" in error_of(refund(desk, "o2", "r3")).message
        assert "recorded with another amount" in error_of(refund(desk, "o2", "r1", amount="1", currency="EUR")).message
        assert "was in EUR" in error_of(refund(desk, "o3", "r1", amount="1", currency="USD")).message
        assert "more than is left" in error_of(refund(desk, "o3", "r1", amount="100.01", currency="EUR")).message
        assert amounts(refund(desk, "o1", "r1")) == ["-10.00", "-1.99", "-0.50"]
        (ada,) = [one for one in referrals.statistics(desk.ledger) if one["referrer"] == "ada"]
        assert (ada["sales"], ada["turnover"], ada["earned"], ada["reversed"]) == (1, 10000, 3250, 2000)
        assert amounts(sale(desk, "o4", "50", currency="USD")) == ["5.00"], "each currency counts for itself"
        agree(desk)
    listed: Answer = said(tmp_path / "home", "referrals", "list", "--source", "o2", "--json")
    assert [one["amount"] for one in listed.json] == ["-5.00", "-5.00", "10.00"]
    stats = said(tmp_path / "home", "referrals", "stats", "--json").json
    assert {(one["referrer"], one["currency"]): one["balance"] for one in stats} == {
        ("ada", "EUR"): "12.50", ("bob", "EUR"): "0.00", ("eve", "EUR"): "0.00", ("ada", "USD"): "5.00"
    }  # fmt: skip
    assert "12.50" in said(tmp_path / "home", "referrals", "stats").out
    assert said(tmp_path / "home", "referrals", "list", "--referrer", "nobody").out == ""


def test_fixed_amounts_and_caps(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, "", RULES)) as desk:
        assert [amounts(sale(desk, f"f{n}", rule="flat")) for n in range(4)] == [["5.00"], ["5.00"], ["2.00"], ["0.00"]]
        assert amounts(refund(desk, "f0", "r")) == ["-5.00"]
        assert amounts(sale(desk, "f9", rule="flat")) == ["5.00"], "what was taken back makes room"
        assert amounts(sale(desk, "small", "3", "bob", rule="flat")) == ["3.00"], "never more than the sale"
        assert amounts(sale(desk, "c1", "39", "eve", rule="capped")) == ["19.50"]
        assert amounts(sale(desk, "c2", "41", "eve", rule="capped")) == ["20.00"]
        assert "is for EUR" in error_of(sale(desk, "d1", currency="USD", rule="capped")).message
        assert "has 1 levels" in error_of(sale(desk, "d2", "1", "ada", "bob", rule="capped")).message
        assert "stands there twice" in error_of(sale(desk, "d3", "1", "ada", "ada")).message
        assert "there is no rule 'x'" in error_of(sale(desk, "d4", rule="x")).message
        assert "2 decimal places" in error_of(sale(desk, "d5", "0.001")).message
        agree(desk)


def test_a_refund_waits_for_its_sale(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path, "", RULES)) as desk:
        early = desk.submit("referral-commission", {"source": "o1", "refund": "r1"}, retries=3000)
        until(lambda: desk.job(early.id).attempt >= 2)
        sale(desk, "o1")
        assert amounts(desk.wait(early.id, timeout=60)) == ["-10.00"]
        lost = desk.wait(desk.submit("referral-commission", {"source": "o9", "refund": "r"}, retries=1).id, timeout=60)
        assert "sale o9 is not recorded" in error_of(lost).message and lost.attempt == 2


def test_without_rules_it_says_what_to_write(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path)) as desk:
        error = error_of(sale(desk, "o1"))
        assert error.type == "NotConfigured" and "[[referrals.rules]]" in error.message and not error.retryable


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("", "give percent or fixed"),
        ('percent = 10\nfixed = "1"\ncurrency = "EUR"', "give percent or fixed"),
        ('fixed = "1"', "give its currency"),
        ('percent = 60\nlevels = ["41"]', "more than a sale"),
        ("percent = 1\ntiers = [{sales = 5, percent = 2}, {sales = 3, percent = 4}]", "not in order"),
        ("percent = 101", "less than or equal to 100"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, rule: str, wanted: str) -> None:
    home = make_home(tmp_path, "", f'[[referrals.rules]]\nname = "a"\n{rule}\n')
    answer = said(home, "config", "check")
    assert answer.code == 2 and wanted in answer.error


def test_killed_consumers_give_each_sale_and_refund_its_commission_once(tmp_path: Path) -> None:
    home, dice = make_home(tmp_path, "", RULES), random.Random(7)
    desk = Desk(home)
    ids = []
    for n in range(15):
        one: dict[str, Any] = {
            "source": f"o{n}",
            "amount": f"{dice.randint(1, 99999)}.{dice.randint(0, 99):02}",
            "currency": "EUR",
        }
        one["referrers"] = dice.sample(["ada", "bob", "eve", "joe"], dice.randint(1, 3))
        ids += [desk.submit("referral-commission", one, retries=500).id for _ in range(2)]
        ids += [
            desk.submit("referral-commission", {"source": f"o{n}", "refund": "r"}, retries=500).id for _ in range(2)
        ]
    working = [consumer(home)]
    try:
        for _ in range(2):
            seen = len(referrals.transactions(desk.ledger, limit=1000))
            until(lambda seen: len(referrals.transactions(desk.ledger, limit=1000)) >= min(seen + 8, 30), seen)
            kill(working[-1])
            working.append(consumer(home))
        desk.wait(*ids, timeout=120)
    finally:
        end(*working)
    assert {desk.job(id_).state for id_ in ids} == {State.COMPLETED}
    rows = referrals.transactions(desk.ledger, limit=10_000)
    assert len({(row["source"], row["refund"]) for row in rows}) == 30
    assert sum(row["amount"] for row in rows) == 0, "all was refunded"
    assert all(one["sales"] == one["turnover"] == 0 for one in referrals.statistics(desk.ledger))
    agree(desk)
    desk.close()
