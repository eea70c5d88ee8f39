"""A mail server on loopback that keeps what it is given and answers as it is told."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

DROP, TAKE_AND_DROP = "drop", "take and drop"


@dataclass
class MailServer:
    """`answers` are codes by address, said to its RCPT TO; `data_answers` are said to DATA, one a letter, then 250.

    DROP is an answer too: the connection is closed without a word; TAKE_AND_DROP: after the letter was taken.
    """

    port: int = 0
    user: str = "ada"
    password: str = "hunter2-smtp"
    answers: dict[str, str] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    tried: int = 0
    """Letters that came to their end, taken or not."""
    open: threading.Event = field(default_factory=threading.Event)
    """Letters wait for it before they are answered; it is set at first."""
    quit_answer: str = ""

    def __post_init__(self) -> None:
        self.open.set()

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return self.quit_answer or "221 bye"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.tried += 1
        await asyncio.to_thread(self.open.wait, 60)
        answer = self.data_answers.pop(0) if self.data_answers else "250 taken"
        if answer == DROP:
            server.transport.abort()
            return answer
        if answer not in ("250 taken", TAKE_AND_DROP):
            return answer
        made = message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=policy.default)
        self.letters.append(made)
        self.recipients.append(list(envelope.rcpt_tos))
        if answer == TAKE_AND_DROP:
            server.transport.abort()
        return answer

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
        server.open.set()
        controller.stop(no_assert=True)
