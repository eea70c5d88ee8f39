"""Payment providers on loopback: real HTTP, the rules of the true ones about keys, and a count of what they charged.

`trouble` decides what happens to the answer of a request that charges, after it has charged: `drop` closes the
connection without a word, `error` answers HTTP 500, `hang` answers nothing until the server closes.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.web import Answer, Asked, Server, server


class Charges:
    """What all of them have in common."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        """A key or id for each time that money was taken."""
        self.declines: list[str] = []
        """Codes of the next attempts; then they succeed."""
        self.troubles: list[str] = []
        """Of the next requests that charge."""
        self.keys: dict[str, Answer] = {}
        self.lock = threading.Lock()
        self.server: Server

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def once(self, key: str, make: Callable[[], Answer]) -> Answer:
        """The same answer to the same key; what goes wrong with it is the connection's trouble, not the charge's."""
        if key not in self.keys:
            self.keys[key] = make()
        trouble = self.troubles.pop(0) if self.troubles else ""
        if trouble == "error":
            return Answer(500, b'{"type": "error"}')
        return Answer(drop=True) if trouble == "drop" else Answer(hang=True) if trouble == "hang" else self.keys[key]

    def settings(self) -> str:
        raise NotImplementedError


def said(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class StripeServer(Charges):
    """PaymentIntents with search by metadata; an intent that has succeeded cannot be confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.intents: dict[str, dict[str, Any]] = {}
        self.advice: str | None = None

    def settings(self) -> str:
        return f'[providers.stripe]\nurl = "{self.server.url}"\ntoken = "${{env:PAY_TOKEN}}"\n'

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.headers.get("authorization") != "Bearer t0p-s3cret":
            return said({"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}, 401)
        if parts.path == "/v1/payment_intents/search":
            wanted = re.fullmatch(r"metadata\['(.+)'\]:'(.+)'", parse_qs(parts.query)["query"][0])
            assert wanted
            found = [one for one in self.intents.values() if one["metadata"].get(wanted[1]) == wanted[2]]
            return said({"object": "search_result", "data": found})
        match asked.method, *parts.path.removeprefix("/v1/payment_intents").strip("/").split("/"):
            case "POST", "":
                return self.once(asked.headers["idempotency-key"], lambda: said(self._made(form)))
            case "GET", id_:
                if id_ not in self.intents:
                    return said({"error": {"code": "resource_missing"}}, 404)
                return said(self.intents[id_])
            case "POST", id_, "confirm":
                return self.once(asked.headers["idempotency-key"], lambda: self._confirmed(self.intents[id_]))
        return said({"error": {"message": "no such place"}}, 404)

    def _made(self, form: dict[str, str]) -> dict[str, Any]:
        id_ = f"pi_{len(self.intents) + 1}"
        metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
        amount, currency = int(form["amount"]), form["currency"]
        made = {"id": id_, "object": "payment_intent", "amount": amount, "currency": currency, "metadata": metadata}
        self.intents[id_] = made | {"status": "requires_payment_method", "created": len(self.intents)}
        return dict(self.intents[id_])

    def _confirmed(self, intent: dict[str, Any]) -> Answer:
        if intent["status"] == "succeeded":
            error = {"type": "invalid_request_error", "code": "payment_intent_unexpected_state", "message": "no"}
            return said({"error": error | {"payment_intent": intent}}, 400)
        if self.declines:
            code = self.declines.pop(0)
            error = {"type": "card_error", "code": "card_declined", "decline_code": code, "message": "declined"}
            intent["last_payment_error"] = error
            advice = {"advice_code": self.advice} if self.advice else {}
            return said({"error": error | advice | {"payment_intent": dict(intent)}}, 402)
        intent["status"] = "succeeded"
        self.charged.append(intent["id"])
        return said(intent)


class YooKassaServer(Charges):
    """A payment for each key."""

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, dict[str, Any]] = {}

    def settings(self) -> str:
        url = f'url = "{self.server.url}/v3"'
        return f'[providers.yookassa]\n{url}\nshop_id = "1234"\ntoken = "${{env:PAY_TOKEN}}"\n'

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        if asked.headers.get("authorization") != "Basic MTIzNDp0MHAtczNjcmV0":  # 1234:t0p-s3cret
            return said({"type": "error", "code": "invalid_credentials"}, 401)
        if asked.method == "POST" and parts.path == "/v3/payments":
            body = json.loads(asked.body)
            return self.once(asked.headers["idempotence-key"], lambda: said(self._made(body)))
        id_ = parts.path.removeprefix("/v3/payments").strip("/")
        if not id_:
            return said({"type": "list", "items": list(self.payments.values())})
        return said(self.payments[id_]) if id_ in self.payments else said({"code": "not_found"}, 404)

    def _made(self, body: dict[str, Any]) -> dict[str, Any]:
        id_ = f"2a-{len(self.payments) + 1}"
        made = {"id": id_, "amount": body["amount"], "metadata": body["metadata"]}
        if self.declines:
            made |= {"status": "canceled", "cancellation_details": {"party": "issuer", "reason": self.declines.pop(0)}}
        else:
            made |= {"status": "succeeded"}
            self.charged.append(id_)
        self.payments[id_] = made
        return made


class BtcPayServer(Charges):
    """Invoices, which the customer pays when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: list[dict[str, Any]] = []

    def settings(self) -> str:
        url = f'url = "{self.server.url}"'
        return f'[providers.crypto]\n{url}\nstore_id = "st1"\ntoken = "${{env:PAY_TOKEN}}"\n'

    @property
    def payable(self) -> list[dict[str, Any]]:
        return [one for one in self.invoices if one["status"] == "New"]

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        if asked.headers.get("authorization") != "token t0p-s3cret":
            return said({"code": "unauthenticated"}, 401)
        match asked.method, *parts.path.removeprefix("/api/v1/stores/st1/invoices").strip("/").split("/"):
            case "GET", "":
                wanted = parse_qs(parts.query)["orderId"][0]
                return said([one for one in self.invoices if one["metadata"]["orderId"] == wanted])
            case "POST", "":
                body = json.loads(asked.body)
                return self.once(f"invoice {len(self.keys)}", lambda: said(self._made(body)))
            case "POST", id_, "status":
                invoice = next(one for one in self.invoices if one["id"] == id_)
                invoice |= {"status": json.loads(asked.body)["status"], "additionalStatus": "Marked"}
                return said(invoice)
        return said({}, 404)

    def _made(self, body: dict[str, Any]) -> dict[str, Any]:
        id_ = f"inv{len(self.invoices) + 1}"
        made = {"id": id_, **body, "status": "New", "additionalStatus": "None", "createdTime": len(self.invoices)}
        self.invoices.append(made | {"checkoutLink": f"{self.server.url}/i/{id_}"})
        return self.invoices[-1]


@contextmanager
def provider(kind: type[Charges]) -> Iterator[Any]:
    """A provider as long as the block lasts."""
    made = kind()
    with server(made.answer) as made.server:
        yield made
