"""Payments by a real consumer at providers on loopback: tried again by the rules, and charged once, whatever breaks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.job import Job, State
from jobdesk.ledger import payments
from jobdesk_processors.declines import STRIPE, YOOKASSA, is_retryable
from tests.support.factory import error_of
from tests.support.home import Answer, command, consumer, end, kill, make_home, said, until
from tests.support.paying import BtcPayServer, Charges, StripeServer, YooKassaServer, provider

QUICK = """
[payments]
attempts = {attempts}
delay = "20ms"
max_delay = "50ms"
[types.payment-retry]
retry_delay = "20ms"
backoff = "fixed"
[breaker]
failures = 1000
"""
CARDS = (("stripe", StripeServer), ("yookassa", YooKassaServer))


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAY_TOKEN", "t0p-s3cret")


def home_of(tmp_path: Path, at: Charges, attempts: int = 4, more: str = "") -> Path:
    return make_home(tmp_path, "", QUICK.format(attempts=attempts) + at.settings() + more)


def bill(name: str, **over: Any) -> dict[str, Any]:
    usual = {"provider": name, "payment": "inv_1", "amount": "12.50", "currency": "EUR", "payment_method": "pm_1"}
    return usual | over


def pay(desk: Desk, name: str, **over: Any) -> Job:
    return desk.wait(desk.submit("payment-retry", bill(name, **over)).id, timeout=60)


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_declines_that_may_pass_are_tried_again_until_it_succeeds(tmp_path: Path, name: str, kind: type) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.declines = ["insufficient_funds", "insufficient_funds"]
        job = pay(desk, name)
        assert job.state is State.COMPLETED, job.error
        assert len(bank.charged) == 1 and job.attempt == 1, "declines cost the job no attempt"
        assert job.result == {
            "payment": "inv_1", "provider": name, "status": "succeeded", "amount": "12.50", "currency": "EUR",
            "attempts": 3, "reference": bank.charged[0], "code": None,
        }  # fmt: skip
        (row,) = payments.every(desk.ledger)
        assert row["state"] == "succeeded" and row["amount"] == 1250
        asked = len(bank.server.asked)
        again = pay(desk, name)
        assert again.result == job.result and len(bank.server.asked) == asked, "what is paid is not even asked for"
        text = (tmp_path / "home" / "jobdesk.db").read_bytes() + json.dumps(job.to_json()).encode()
        assert b"t0p-s3cret" not in text


@pytest.mark.parametrize(
    ("name", "kind", "code"), [("stripe", StripeServer, "stolen_card"), ("yookassa", YooKassaServer, "card_expired")]
)
def test_a_decline_for_good_is_not_tried_again_but_with_another_method(
    tmp_path: Path, name: str, kind: type, code: str
) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.declines = [code]
        job = pay(desk, name)
        assert job.state is State.FAILED and job.error is not None
        assert job.error.type == code and not job.error.retryable and "declined for good" in job.error.message
        asked = len(bank.server.asked)
        desk.retry(job.id)
        again = desk.wait(job.id, timeout=60)
        assert "give another payment_method" in error_of(again).message and len(bank.server.asked) == asked
        assert not bank.charged
        assert pay(desk, name, payment_method="pm_2").state is State.COMPLETED and len(bank.charged) == 1


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_the_limits_hold_also_when_it_is_retried_by_hand(tmp_path: Path, name: str, kind: type) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank, attempts=2)) as desk:
        bank.declines = ["insufficient_funds"] * 5
        job = pay(desk, name)
        assert job.error is not None and job.error.type == "given-up" and "after 2 attempts" in job.error.message
        assert len(bank.declines) == 3
        desk.retry(job.id)
        assert "raise payments.attempts" in error_of(desk.wait(job.id, timeout=60)).message
        assert len(bank.declines) == 3 and not bank.charged


def test_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    with provider(StripeServer) as bank:
        home = make_home(
            tmp_path, "", f'[payments]\nmax_age = "50ms"\ndelay = "20ms"\nattempts = 100\n{bank.settings()}'
        )
        with Desk(home) as desk:
            bank.declines = ["insufficient_funds"] * 100
            job = pay(desk, "stripe")
            assert job.error is not None and len(bank.declines) > 50 and not bank.charged


def test_what_the_network_advises_goes_before_the_code(tmp_path: Path) -> None:
    with provider(StripeServer) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.declines, bank.advice = ["do_not_honor"], "do_not_try_again"
        assert error_of(pay(desk, "stripe")).type == "do_not_honor" and not bank.declines


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_a_charge_whose_answer_is_lost_is_not_made_again(tmp_path: Path, name: str, kind: type) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank, more='timeout = "1s"\n')) as desk:
        for number, trouble in enumerate(("drop", "error", "hang"), 1):
            bank.troubles = ["", trouble, trouble] if name == "stripe" else [trouble, trouble]
            before = len(bank.server.asked)
            job = pay(desk, name, payment=trouble)
            assert job.state is State.COMPLETED, job.error
            assert len(bank.charged) == number and job.result["attempts"] == 1
            asked = [one for one in bank.server.asked[before:] if one.path.endswith(("/confirm", "v3/payments"))]
            keys = {one.headers.get("idempotency-key") or one.headers["idempotence-key"] for one in asked}
            assert len(keys) == 1, "one attempt has one key"


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_a_trouble_that_stays_ends_in_the_dead_letters_and_a_retry_by_hand_charges_once(
    tmp_path: Path, name: str, kind: type
) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.troubles = ["drop"] * 3
        job = desk.wait(desk.submit("payment-retry", bill(name), retries=1).id, timeout=60)
        assert job.state is State.FAILED and payments.every(desk.ledger)[0]["state"] == "charging"
        desk.retry(job.id)
        job = desk.wait(job.id, timeout=60)
        if job.state is State.FAILED:
            desk.retry(job.id)
            job = desk.wait(job.id, timeout=60)
        assert job.state is State.COMPLETED and len(bank.charged) == 1 and job.result["attempts"] == 1


@pytest.fixture
def working() -> Iterator[list[Any]]:
    consumers: list[Any] = []
    yield consumers
    end(*consumers)


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_kill_9_in_the_middle_of_a_charge_charges_once(
    tmp_path: Path, name: str, kind: type, working: list[Any]
) -> None:
    with provider(kind) as bank:
        home = home_of(tmp_path, bank)
        desk = Desk(home)
        bank.troubles = ["", "hang"] if name == "stripe" else ["hang"]
        working.append(consumer(home))
        job = desk.submit("payment-retry", bill(name))
        until(lambda: bank.charged)
        kill(working[0])
        working.append(consumer(home))
        done = desk.wait(job.id, timeout=60)
        assert done.state is State.COMPLETED and done.attempt == 2, done.error
        assert len(bank.charged) == 1 and done.result["attempts"] == 1
        desk.close()


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_many_jobs_for_one_payment_at_once_charge_once(tmp_path: Path, name: str, kind: type) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.troubles = ["drop", "error"]
        ids = [desk.submit("payment-retry", bill(name)).id for _ in range(6)]
        desk.wait(*ids, timeout=120)
        assert {desk.job(id_).state for id_ in ids} == {State.COMPLETED} and len(bank.charged) == 1


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_after_the_key_is_forgotten_the_provider_is_searched_before_another_is_used(
    tmp_path: Path, name: str, kind: type
) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        bank.troubles = ["", "drop"] if name == "stripe" else ["drop"]
        job = desk.wait(desk.submit("payment-retry", bill(name), retries=0).id, timeout=60)
        assert job.state is State.FAILED and len(bank.charged) == 1
        with desk.ledger.write() as tx:
            tx.run("UPDATE payment SET key_at = key_at - 90000")
        bank.keys.clear()
        desk.retry(job.id)
        assert desk.wait(job.id, timeout=60).state is State.COMPLETED and len(bank.charged) == 1
        assert payments.every(desk.ledger)[0]["attempt"] == 1


def test_a_ledger_that_forgot_everything_finds_what_was_paid_at_stripe(tmp_path: Path) -> None:
    with provider(StripeServer) as bank, Desk(home_of(tmp_path, bank)) as desk:
        assert pay(desk, "stripe").state is State.COMPLETED
        with desk.ledger.write() as tx:
            tx.run("DELETE FROM payment")
        bank.keys.clear()
        assert pay(desk, "stripe").result["reference"] == bank.charged[0] and len(bank.charged) == 1


@pytest.mark.parametrize(("name", "kind"), CARDS)
def test_another_amount_under_the_same_name_is_refused(tmp_path: Path, name: str, kind: type) -> None:
    with provider(kind) as bank, Desk(home_of(tmp_path, bank)) as desk:
        assert pay(desk, name).state is State.COMPLETED
        for over in ({"amount": "13"}, {"currency": "USD"}):
            assert "was begun with" in error_of(pay(desk, name, **over)).message
        with desk.ledger.write() as tx:
            tx.run("UPDATE payment SET state = 'charging', amount = 1300")
        assert "correct the payment" in error_of(pay(desk, name, amount="13")).message
        assert len(bank.charged) == 1


def test_stripe_is_sent_amounts_as_it_counts(tmp_path: Path) -> None:
    counted = (
        ("12.5", "EUR", 1250),
        ("500", "JPY", 500),
        ("1.230", "KWD", 1230),
        ("7", "ISK", 700),
        ("3.00", "MGA", 3),
    )
    with provider(StripeServer) as bank, Desk(home_of(tmp_path, bank)) as desk:
        for amount, currency, sent in counted:
            paid = pay(desk, "Stripe", payment=currency, amount=amount, currency=currency.lower())
            assert paid.state is State.COMPLETED, paid.error
            intent = bank.intents[paid.result["reference"]]
            assert (intent["amount"], intent["currency"]) == (sent, currency.lower())


def test_amounts_that_no_currency_has_are_refused(tmp_path: Path) -> None:
    with provider(StripeServer) as bank, Desk(home_of(tmp_path, bank)) as desk:
        for amount, currency in (("1.234", "EUR"), ("1.5", "JPY"), ("1.234", "KWD"), ("1.5", "MGA")):
            assert error_of(pay(desk, "stripe", payment=currency, amount=amount, currency=currency)).type == "amount"
        for over in ({"currency": "XXX"}, {"amount": "0"}, {"amount": "-1"}, {"amount": "NaN"}):
            with pytest.raises(Exception, match="is wrong"):
                desk.submit("payment-retry", bill("stripe", **over))
        with pytest.raises(Exception, match="is wrong"):
            desk.submit("payment-retry", bill("paypal"))
        assert not [one for one in bank.server.asked if one.method == "POST"]
        assert pay(desk, "stripe", payment="MGA", amount="2", currency="MGA").state is State.COMPLETED, "once corrected"


def wait_for_open_invoice(shop: BtcPayServer) -> dict[str, Any]:
    until(lambda: shop.payable)
    return shop.payable[0]


def test_crypto_is_an_invoice_at_a_time_until_one_is_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(BtcPayServer) as shop, Desk(home_of(tmp_path, shop)) as desk:
        shop.troubles = ["drop"]  # the first invoice is made, and nobody hears of it
        job = desk.submit("payment-retry", bill("crypto", payment="order 7"))
        until(lambda: desk.job(job.id).state is State.SCHEDULED)
        (first,) = shop.invoices
        assert payments.every(desk.ledger)[0]["message"] == first["checkoutLink"]
        shop.invoices.append(first | {"id": "inv-late", "createdTime": 9})  # a slow request that came through after all
        first["status"] = "Expired"
        assert look_now(desk, job).state is State.SCHEDULED and len(shop.payable) == 1
        shop.payable[0]["status"] = "Expired"
        look_now(desk, job, shop)
        (second,) = shop.payable
        assert second["metadata"]["jobdeskAttempt"] == 2 and len(shop.invoices) == 3
        shop.invoices.append(second | {"id": "inv-twin", "createdTime": 99})
        second["status"] = "Processing"
        assert look_now(desk, job).state is State.SCHEDULED and not shop.payable, "what is being paid has no twin"
        second["status"] = "Settled"
        done = look_now(desk, job)
        assert done.state is State.COMPLETED and done.result["reference"] == second["id"]


def look_now(desk: Desk, job: Job, shop: BtcPayServer | None = None) -> Job:
    """Let a job that waits look now; until it waits again or has ended (or until a new invoice is open)."""
    before = desk.job(job.id)
    with desk.ledger.write() as tx:
        tx.run("UPDATE job SET run_at = ? WHERE seq = ?", (tx.now, before.seq))
        tx.wakes = True
    until(
        lambda: (
            (now := desk.job(job.id)).finished_at
            or (now.state is State.SCHEDULED and now.run_at > desk.clock.now() + 5)
        )
    )
    if shop is not None:
        until(lambda: shop.payable)
    return desk.job(job.id)


@pytest.mark.parametrize(("extra", "code"), [("PaidLate", "paid_late"), ("PaidPartial", "paid_partial")])
def test_crypto_that_came_late_or_in_part_needs_a_person(tmp_path: Path, extra: str, code: str) -> None:
    with provider(BtcPayServer) as shop, Desk(home_of(tmp_path, shop)) as desk:
        job = desk.submit("payment-retry", bill("crypto"))
        wait_for_open_invoice(shop)
        until(lambda: desk.job(job.id).state is State.SCHEDULED)
        shop.invoices[0] |= {"status": "Expired", "additionalStatus": extra}
        assert error_of(look_now(desk, job)).type == code and len(shop.invoices) == 1


def test_without_settings_it_says_what_to_write(tmp_path: Path) -> None:
    with Desk(make_home(tmp_path)) as desk:
        for name, wanted in (("stripe", "STRIPE_SECRET_KEY"), ("yookassa", "shop_id"), ("crypto", "store_id")):
            error = error_of(pay(desk, name))
            assert error.type == "NotConfigured" and f"[providers.{name}]" in error.message and wanted in error.message
        assert not payments.every(desk.ledger)


def test_a_wrong_key_is_said_and_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAY_TOKEN", "wrong-key")
    with provider(StripeServer) as bank, Desk(home_of(tmp_path, bank)) as desk:
        error = error_of(pay(desk, "stripe"))
        assert not error.retryable and "401" in error.message and "wrong-key" not in error.message


def test_the_command_lists_them(tmp_path: Path) -> None:
    with provider(StripeServer) as bank:
        home = home_of(tmp_path, bank)
        with Desk(home) as desk:
            assert pay(desk, "stripe").state is State.COMPLETED
        (row,) = command(home, "payments", "list", "--json").json
        assert row["payment"] == "inv_1" and row["amount"] == "12.50" and row["state"] == "succeeded"
        listed: Answer = said(home, "payments", "list", "nothing like it")
        assert listed.code == 0 and listed.out == ""


def test_tables_of_declines_know_what_they_say() -> None:
    assert is_retryable(STRIPE, "insufficient_funds") and not is_retryable(STRIPE, "lost_card")
    assert is_retryable(YOOKASSA, "issuer_unavailable") and not is_retryable(YOOKASSA, "permission_revoked")
    assert is_retryable(STRIPE, "a_code_of_tomorrow")
