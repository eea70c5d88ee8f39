"""A mail server on loopback that keeps what it is given and answers as it is told."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class MailServer:
    """`answers` are codes by address, said to its RCPT TO; `data_answers` are said to DATA, one a letter, then 250."""

    port: int = 0
    user: str = "ada"
    password: str = "hunter2-smtp"
    answers: dict[str, str] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data_answers:
            return self.data_answers.pop(0)
        made = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(cast(EmailMessage, made))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    def knows(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            self.user.encode(),
            self.password.encode(),
        )
        return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[MailServer]:
    """A server while the block runs; with TLS from the start, by STARTTLS, or without."""
    server = MailServer()
    more: dict[str, Any] = {"authenticator": server.knows, "auth_required": True} if login else {}
    controller = Controller(
        server, hostname="127.0.0.1", port=0, ssl_context=tls, tls_context=starttls,
        require_starttls=starttls is not None, auth_require_tls=False, ready_timeout=60, **more,
    )  # fmt: skip

    def knock() -> None:
        """As the controller's own, which would knock at port 0."""
        assert controller.server is not None
        server.port = controller.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        socket.create_connection(("127.0.0.1", server.port)).close()

    controller._trigger_server = knock  # type: ignore[method-assign]
    controller.start()
    try:
        yield server
    finally:
        controller.stop(no_assert=True)
