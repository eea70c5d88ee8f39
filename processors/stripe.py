"""Stripe: one PaymentIntent a payment, which is confirmed again until it succeeds; it can succeed only once.

It is found by its id, by its idempotency key, or after that has been forgotten by its metadata, so a second one is not
made. https://docs.stripe.com/api/payment_intents
"""

from collections.abc import Mapping
from typing import Any

from jobdesk import Context, Reject, Retry, Service
from jobdesk_processors.charging import Came, Payment, ask
from jobdesk_processors.declines import STRIPE, STRIPE_ADVICE, is_retryable
from jobdesk_processors.web import HttpStatus

VERSION = "2024-06-20"
_INTENTS = "v1/payment_intents"
_ERRORS = ("2xx", 400, 402, 404, 409)
_NO_MINOR_UNIT = frozenset({"MGA"})
"""Whole units to Stripe, although ISO 4217 knows cents."""
_WHOLE_HUNDREDS = frozenset({"ISK", "UGX"})
"""No cents any more, and Stripe still takes hundredths."""
_LAST_DIGIT_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
METADATA = "jobdesk_payment"


def units(amount: int, currency: str) -> int:
    """Minor units of ISO 4217 as Stripe counts: https://docs.stripe.com/currencies.

    Raises:
        Reject: Stripe takes no such amount.
    """
    if currency in _WHOLE_HUNDREDS:
        return amount * 100
    step = 100 if currency in _NO_MINOR_UNIT else 10 if currency in _LAST_DIGIT_ZERO else 1
    if amount % step:
        raise Reject(f"Stripe takes amounts in {currency} in steps of {step} of its smallest unit only", "amount")
    return amount // 100 if currency in _NO_MINOR_UNIT else amount


class Stripe:
    """Needs `url` and `token` (the secret key) in `[providers.stripe]`."""

    def __init__(self, ctx: Context, service: Service) -> None:
        self._ctx = ctx
        self._service = service

    def find(self, payment: Payment) -> Came | None:
        intent = self._intent(payment)
        return None if intent is None else _known(intent)

    def charge(self, payment: Payment) -> Came:
        if not payment.method:
            raise Reject("give payment_method: what Stripe is to charge, like pm_…", "payment_method")
        intent = self._intent(payment) or self._made(payment)
        if (known := _known(intent)) is not None:
            return known
        form = {"payment_method": payment.method, "off_session": "true"}
        try:
            status, answer = self._post(f"{_INTENTS}/{intent['id']}/confirm", form, payment.key_of_attempt)
        except HttpStatus as failed:
            if failed.status_code < 500:
                raise
            # Stripe answers the same to this key for a day: look what came of it, and take another key the next time
            now = self._get(str(intent["id"])) or intent
            said = f"Stripe answered HTTP {failed.status_code}, and the payment is not made"
            return _known(now) or Came("declined", str(intent["id"]), f"http_{failed.status_code}", said)
        if status < 300:
            return _known(answer) or _declined(answer, answer.get("last_payment_error") or {})
        error = answer.get("error") or {}
        if error.get("code") == "payment_intent_unexpected_state":  # somebody else was first
            now = self._get(str(intent["id"])) or intent
            return _known(now) or _declined(now, now.get("last_payment_error") or {})
        if error.get("type") == "card_error":
            return _declined(error.get("payment_intent") or intent, error)
        return Came("invalid", str(intent["id"]), str(error.get("code") or status), str(error.get("message") or ""))

    def _intent(self, payment: Payment) -> Mapping[str, Any] | None:
        """The intent of the payment, if there is one.

        Raises:
            Reject: it is about another amount or currency.
        """
        found = self._get(payment.reference) if payment.reference else None
        if found is None:
            query = f"metadata['{METADATA}']:'{payment.key('name')}'"
            _, answer = ask(
                self._ctx, self._service, "GET", f"{_INTENTS}/search", query={"query": query}, headers=_headers()
            )
            many = sorted(answer.get("data") or (), key=lambda one: one.get("created") or 0)
            done = [one for one in many if one.get("status") in ("succeeded", "processing", "requires_capture")]
            found = next(iter(done or [one for one in many if one.get("status") != "canceled"]), None)
        if found is not None:
            wanted = units(payment.amount, payment.currency), payment.currency.lower()
            if (found.get("amount"), found.get("currency")) != wanted:
                said = f"{found.get('amount')} {found.get('currency')}, not {wanted[0]} {wanted[1]}"
                raise Reject(f"the payment intent {found.get('id')} is about {said}: correct the payment", "amount")
        return found

    def _get(self, id_: str) -> Mapping[str, Any] | None:
        path = f"{_INTENTS}/{id_}"
        status, answer = ask(self._ctx, self._service, "GET", path, headers=_headers(), expect=("2xx", 404))
        return None if status == 404 else answer

    def _made(self, payment: Payment) -> Mapping[str, Any]:
        form = {
            "amount": str(units(payment.amount, payment.currency)),
            "currency": payment.currency.lower(),
            "payment_method_types[]": "card",
            f"metadata[{METADATA}]": payment.key("name"),
            "metadata[payment]": payment.name[:500],
        }
        form |= {"customer": payment.customer} if payment.customer else {}
        form |= {"description": payment.description} if payment.description else {}
        status, answer = self._post(_INTENTS, form, payment.key(f"intent {payment.attempt}"))
        if status >= 300:
            error = answer.get("error") or {}
            said = error.get("message") or f"HTTP {status}"
            raise Reject(f"Stripe does not take the payment: {said}", str(error.get("code") or "invalid"))
        return dict(answer)

    def _post(self, path: str, form: Mapping[str, str], key: str) -> tuple[int, Any]:
        headers = {**_headers(), "idempotency-key": key}
        status, answer = ask(self._ctx, self._service, "POST", path, form=form, headers=headers, expect=_ERRORS)
        if status == 409:
            raise Retry("Stripe is still at work on the same request")
        return status, answer


def _headers() -> dict[str, str]:
    return {"stripe-version": VERSION}


def _known(intent: Mapping[str, Any]) -> Came | None:
    """What an intent says that is paid, under way or at its end; None where it can be confirmed."""
    id_ = str(intent["id"])
    match intent.get("status"):
        case "succeeded" | "requires_capture" as status:
            return Came("succeeded", id_, None if status == "succeeded" else status)
        case "processing":
            return Came("pending", id_, "processing")
        case "requires_action":
            said = "the customer must confirm it"
            return Came("refused", id_, "authentication_required", said)
        case "canceled":
            return Came("refused", id_, "canceled", str(intent.get("cancellation_reason") or "it was canceled"))
    return None


def _declined(intent: Mapping[str, Any], error: Mapping[str, Any]) -> Came:
    code = str(error.get("decline_code") or error.get("code") or "card_declined")
    again = STRIPE_ADVICE.get(str(error.get("advice_code")), is_retryable(STRIPE, code))
    said = str(error.get("message") or "")
    return Came("declined" if again else "refused", str(intent.get("id") or "") or None, code, said)
