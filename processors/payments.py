"""Payments that failed, again: at a provider, by a schedule, and never twice.

The book of payments says which attempt is made; it is written before the provider is asked. An attempt whose outcome is
not known (no answer, HTTP 500, a killed worker) is made again with the same idempotency key, after the provider was
asked what it knows; the next attempt is only made when it is known that nothing was charged.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from jobdesk import Context, Reject, Service, Snooze, processor
from jobdesk_processors.money import DECIMALS, Amount, Currency, major, minor

if TYPE_CHECKING:
    from jobdesk_processors.charging import Came, Payment, Provider

LOOKS_FROM_S, LOOKS_TO_S = 30.0, 6 * 3600.0
"""How often a payment that is under way is looked at: after half its age, within these bounds."""
_CONFIGURE = {
    "stripe": 'url = "https://api.stripe.com", and as its token the secret key, ${env:STRIPE_SECRET_KEY}',
    "yookassa": 'url = "https://api.yookassa.ru/v3", shop_id, and as its token the secret key, ${env:YOOKASSA_SECRET}',
    "crypto": "the url of a BTCPay Server, store_id, and as its token an API key, ${env:BTCPAY_API_KEY}",
}

Name = Annotated[
    Literal["stripe", "yookassa", "crypto"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]
Id = Annotated[str, Field(pattern=r"^[\w.:@/+ -]{1,200}$")]
Reference = Annotated[str, Field(pattern=r"^[\w.-]{1,200}$")]


@processor("payment-retry", queue="payment-retry", timeout="5m", retries=20, retry_delay="10s", service="{provider}")
def retry_payment(
    ctx: Context,
    provider: Name,
    payment: Id,
    amount: Amount,
    currency: Currency,
    payment_method: Reference | None = None,
    customer: Reference | None = None,
    reference: Reference | None = None,
    description: Annotated[str, Field(max_length=128)] = "",
) -> dict[str, Any]:
    """Try a failed payment again until it succeeds, is declined for good or its time is up."""
    from jobdesk_processors import charging  # httpx takes a while to load, and whoever submits needs none

    if f"services.{provider}" not in ctx.settings:
        raise Reject(
            f"{provider} is not configured: give [providers.{provider}] {_CONFIGURE[provider]}", "NotConfigured"
        )
    at_provider = _provider(ctx, provider, ctx.service(provider))
    limits = ctx.settings["payments"]
    entry = {
        "step": "begin", "provider": provider, "payment": payment, "amount": minor(amount, currency),
        "currency": currency, "decimals": DECIMALS[currency], "method": payment_method,
        "attempts": limits["attempts"], "max_age_s": limits["max_age"],
    }  # fmt: skip
    row = ctx.book("payments", entry)
    if row["state"] == "succeeded":
        return _result(row)
    if row["state"] == "declined":  # the next attempt is not due
        raise Snooze(max(0.001, row["next_at"] - row["now"]), f"{row['code']}: the next attempt comes at its time")

    def told(row: Mapping[str, Any]) -> "Payment":
        return charging.Payment(
            provider, payment, row["amount"], currency, row["attempt"], row["unknown"], row["now"] - row["key_at"],
            row["key_at"], row["reference"] or reference, payment_method, customer, description,
        )  # fmt: skip

    attempt = told(row)
    ctx.progress(0, 2, f"attempt {attempt.attempt}: asking what {provider} knows")
    came = at_provider.find(attempt)
    if came is None and attempt.unknown and attempt.key_age_s > charging.KEY_LIVES_S:
        # its key is forgotten, and nothing was made with it: what is made now is another attempt, with a key of its own
        attempt = told(ctx.book("payments", entry | {"nothing": True}))
    if came is None:
        ctx.checkpoint()
        ctx.progress(1, 2, f"attempt {attempt.attempt}: {major(attempt.amount, currency)} {currency}")
        try:
            came = at_provider.charge(attempt)
        except Reject as error:
            if error.reason not in charging.NOT_ASKED:
                raise
            came = charging.Came("invalid", None, error.reason, str(error))
    return _settled(ctx, attempt, came, row)


def _provider(ctx: Context, name: str, service: Service) -> "Provider":
    from jobdesk_processors.btcpay import BtcPay
    from jobdesk_processors.stripe import Stripe
    from jobdesk_processors.yookassa import YooKassa

    made: Mapping[str, Callable[[Context, Service], Provider]] = {
        "stripe": Stripe, "yookassa": YooKassa, "crypto": BtcPay
    }  # fmt: skip
    return made[name](ctx, service)


def delay_s(limits: Mapping[str, Any], attempt: int) -> float:
    """Seconds from a declined attempt (1 is the first) to the next."""
    try:
        return float(min(limits["delay"] * limits["factor"] ** (attempt - 1), limits["max_delay"]))
    except OverflowError:
        return float(limits["max_delay"])


def _settled(ctx: Context, attempt: "Payment", came: "Came", row: Mapping[str, Any]) -> dict[str, Any]:
    """Write down what came of an attempt, and end the job or put it off accordingly."""
    limits = ctx.settings["payments"]
    wait_s = delay_s(limits, attempt.attempt) if came.state == "declined" else None
    written = ctx.book(
        "payments",
        {
            "step": "settle", "provider": attempt.provider, "payment": attempt.name, "attempt": attempt.attempt,
            "state": came.state, "reference": came.reference, "code": came.code, "message": came.message or came.link,
            "wait_s": wait_s,
        },
    )  # fmt: skip
    if written["state"] == "succeeded":
        ctx.progress(2, 2, "paid")
        return _result(written)
    why = f"{came.code}: {came.message}" if came.message else str(came.code)
    age_s = written["now"] - written["created_at"]
    if came.state == "pending":
        if came.link:
            ctx.log.info(f"the customer pays at {came.link}")
        if age_s > limits["max_age"]:
            said = f"payment {attempt.name} is still pending at {attempt.provider} ({came.reference})"
            raise Reject(f"{said}: look at it there, and retry the job then", "pending")
        wait_s = min(LOOKS_TO_S, max(LOOKS_FROM_S, (written["now"] - written["key_at"]) / 2))
        raise Snooze(wait_s, f"{attempt.provider} has not decided yet ({came.code})")
    if wait_s is None:
        how = "declined for good" if came.state == "refused" else "not taken"
        raise Reject(f"payment {attempt.name} was {how} by {attempt.provider} ({why})", came.code or came.state)
    ctx.log.warning(f"attempt {attempt.attempt} of {limits['attempts']} was declined ({why})")
    if attempt.attempt >= limits["attempts"] or age_s + wait_s > limits["max_age"]:
        raise Reject(f"payment {attempt.name} is given up after {attempt.attempt} attempts ({why})", "given-up")
    raise Snooze(wait_s, f"attempt {attempt.attempt} of {limits['attempts']} was declined ({why})")


def _result(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payment": row["payment"],
        "provider": row["provider"],
        "status": row["state"],
        "amount": major(row["amount"], row["currency"]),
        "currency": row["currency"],
        "attempts": row["attempt"],
        "reference": row["reference"],
        "code": row["code"],
    }
