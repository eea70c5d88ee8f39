"""YooKassa: a payment of its own for each attempt, from a saved payment method.

The same key within 24 hours answers what came of the first request; after that the payments of that time are looked
through. https://yookassa.ru/developers/using-api/interaction-format
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jobdesk import Context, Reject, Retry, Service
from jobdesk_processors.charging import KEY_LIVES_S, Came, Payment, ask, authorized, option
from jobdesk_processors.declines import YOOKASSA, is_retryable
from jobdesk_processors.money import major

_MARGIN_S = 600.0
_PAGE, _PAGES = 100, 1000


class YooKassa:
    """Needs `url`, `shop_id` and `token` (the secret key) in `[providers.yookassa]`."""

    def __init__(self, ctx: Context, service: Service) -> None:
        self._ctx = ctx
        self._service = authorized(service, "Basic", option(service, "shop_id"))

    def find(self, payment: Payment) -> Came | None:
        if payment.reference:
            status, found = ask(self._ctx, self._service, "GET", f"payments/{payment.reference}", expect=("2xx", 404))
            if status != 404 and (came := _came(payment, found)) is not None:
                return came
        if payment.unknown and payment.key_age_s > KEY_LIVES_S:
            return self._search(payment)
        return None

    def charge(self, payment: Payment) -> Came:
        if not payment.method:
            raise Reject("give payment_method: the id of a payment method saved at YooKassa", "payment_method")
        body: dict[str, Any] = {
            "amount": {"value": major(payment.amount, payment.currency), "currency": payment.currency},
            "capture": True,
            "payment_method_id": payment.method,
            "metadata": {"jobdesk_payment": payment.key("name"), "attempt": str(payment.attempt)},
        }
        body |= {"description": payment.description} if payment.description else {}
        key = {"idempotence-key": payment.key_of_attempt}
        expect = ("2xx", 400)
        status, answer = ask(self._ctx, self._service, "POST", "payments", body=body, headers=key, expect=expect)
        if status == 400:
            return Came("invalid", None, str(answer.get("code") or "invalid"), str(answer.get("description") or ""))
        if answer.get("type") == "processing":
            raise Retry("YooKassa is still at work on it", delay=float(answer.get("retry_after") or 1800) / 1000)
        came = _came(payment, answer)
        if came is None:
            raise Reject(f"YooKassa answered another payment, {answer.get('id')}", "answer")
        return came

    def _search(self, payment: Payment) -> Came | None:
        """Look through the payments of the time in which the key was used."""
        query: dict[str, Any] = {
            "created_at.gte": _iso(payment.key_at - _MARGIN_S),
            "created_at.lte": _iso(payment.key_at + KEY_LIVES_S + _MARGIN_S),
            "limit": _PAGE,
        }
        for _ in range(_PAGES):
            _, answer = ask(self._ctx, self._service, "GET", "payments", query=query)
            for item in answer.get("items") or ():
                if _is_ours(payment, item) and (came := _came(payment, item)) is not None:
                    return came
            if not answer.get("next_cursor"):
                return None
            query["cursor"] = answer["next_cursor"]
        raise Reject(f"payment {payment.name} was not found among {_PAGE * _PAGES:,}: look for it by hand", "lookup")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_ours(payment: Payment, found: Mapping[str, Any]) -> bool:
    return bool((found.get("metadata") or {}).get("jobdesk_payment") == payment.key("name"))


def _came(payment: Payment, found: Mapping[str, Any]) -> Came | None:
    """What a payment there says of ours; None if it was declined and belongs to another attempt.

    Raises:
        Reject: it is about another amount.
    """
    amount, id_ = found.get("amount") or {}, str(found.get("id"))
    wanted = major(payment.amount, payment.currency), payment.currency
    if (amount.get("value"), amount.get("currency")) != wanted:
        said = f"{amount.get('value')} {amount.get('currency')}, not {' '.join(wanted)}"
        raise Reject(f"the payment {id_} is about {said}: correct the payment", "amount")
    match found.get("status"):
        case "succeeded":
            return Came("succeeded", id_)
        case "waiting_for_capture":
            return Came("succeeded", id_, "waiting_for_capture")
        case "pending":
            link = (found.get("confirmation") or {}).get("confirmation_url")
            return Came("pending", id_, "pending", link=link)
    if (found.get("metadata") or {}).get("attempt") != str(payment.attempt):
        return None
    details = found.get("cancellation_details") or {}
    code = str(details.get("reason") or "general_decline")
    said = f"declined by {details.get('party') or 'the provider'}"
    return Came("declined" if is_retryable(YOOKASSA, code) else "refused", id_, code, said)
