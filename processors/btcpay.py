"""Crypto, by BTCPay Server: nobody can be charged, so an attempt is an invoice that the customer may pay.

Invoices have no idempotency keys; they are found by their order id, which is the payment's name. No second one is made
while one can be paid, and if two requests have made two after all, only the first stays open.
https://docs.btcpayserver.org/API/Greenfield/v1/
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from jobdesk import Context, Reject, Service
from jobdesk_processors.charging import Came, Payment, ask, authorized, option
from jobdesk_processors.declines import CRYPTO, is_retryable
from jobdesk_processors.money import major

_PAGE = 100


class BtcPay:
    """Needs `url`, `store_id` and `token` (an API key) in `[providers.crypto]`."""

    def __init__(self, ctx: Context, service: Service) -> None:
        self._ctx = ctx
        self._service = authorized(service, "token")
        self._path = f"api/v1/stores/{option(service, 'store_id')}/invoices"

    def find(self, payment: Payment) -> Came | None:
        invoices = self._invoices(payment)
        paid = [one for one in invoices if one["status"] in ("Settled", "Processing")]
        open_ = [one for one in invoices if one["status"] == "New"]
        for surplus in open_[0 if paid else 1 :]:
            self._ctx.log.warning(f"invoice {surplus['id']} is one too many, and can no longer be paid")
            ask(self._ctx, self._service, "POST", f"{self._path}/{surplus['id']}/status", body={"status": "Invalid"})
        if paid:
            first = min(paid, key=lambda one: one["status"] != "Settled")
            if len(paid) > 1:
                self._ctx.log.error(f"{len(paid)} invoices of {payment.name} were paid: {', '.join(_ids(paid))}")
            _check(payment, first)
            return Came("succeeded" if first["status"] == "Settled" else "pending", str(first["id"]), "processing")
        if open_:
            _check(payment, open_[0])
            return Came("pending", str(open_[0]["id"]), "waiting", link=open_[0].get("checkoutLink"))
        ended = [one for one in invoices if one.get("additionalStatus") != "Marked"]
        for one in ended:
            if (code := _code(one)) != "expired":
                return Came("refused", str(one["id"]), code, "money may have come: look at it in BTCPay Server")
        of_this = [one for one in ended if (one.get("metadata") or {}).get("jobdeskAttempt") == payment.attempt]
        if of_this and is_retryable(CRYPTO, "expired"):
            return Came("declined", str(of_this[0]["id"]), "expired", "nobody paid the invoice")
        return None

    def charge(self, payment: Payment) -> Came:
        body: dict[str, Any] = {
            "amount": major(payment.amount, payment.currency),
            "currency": payment.currency,
            "metadata": {"orderId": payment.name, "jobdeskAttempt": payment.attempt},
        }
        if payment.description:
            body["metadata"]["itemDesc"] = payment.description
        status, made = ask(self._ctx, self._service, "POST", self._path, body=body, expect=("2xx", 400, 422))
        if status >= 400:
            said = made[0] if isinstance(made, list) and made else made
            text = str(said.get("message") or "") if isinstance(said, Mapping) else str(said)
            return Came("invalid", None, f"http_{status}", text)
        return Came("pending", str(made["id"]), "waiting", link=made.get("checkoutLink"))

    def _invoices(self, payment: Payment) -> list[Mapping[str, Any]]:
        """All invoices of the payment, oldest first."""
        found: list[Mapping[str, Any]] = []
        while True:
            query = {"orderId": payment.name, "skip": len(found), "take": _PAGE}
            _, page = ask(self._ctx, self._service, "GET", self._path, query=query)
            found += page
            if len(page) < _PAGE:
                break
        ours = [one for one in found if (one.get("metadata") or {}).get("orderId") == payment.name]
        return sorted(ours, key=lambda one: one.get("createdTime") or 0)


def _ids(invoices: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["id"]) for one in invoices]


def _code(invoice: Mapping[str, Any]) -> str:
    extra = {"PaidLate": "paid_late", "PaidPartial": "paid_partial"}.get(str(invoice.get("additionalStatus")))
    return extra or str(invoice["status"]).lower()


def _check(payment: Payment, invoice: Mapping[str, Any]) -> None:
    wanted = Decimal(major(payment.amount, payment.currency)), payment.currency
    if (Decimal(str(invoice.get("amount"))), invoice.get("currency")) != wanted:
        said = f"{invoice.get('amount')} {invoice.get('currency')}, not {wanted[0]} {wanted[1]}"
        raise Reject(f"invoice {invoice['id']} is about {said}: correct the payment", "amount")
