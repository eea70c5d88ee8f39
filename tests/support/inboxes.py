"""Servers on loopback that notices are sent to: mail with a password, and a webhook."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class _Smtp(Controller):
    """On a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd is annotated in part


class Mailbox:
    """What a mail server took, and from whom; it takes nothing without the right password."""

    def __init__(self, user: str, password: str) -> None:
        self.mails: list[Message] = []
        self.refused = 0
        self._login = (user.encode(), password.encode())
        self._server = _Smtp(
            self, "127.0.0.1", 0, authenticator=self._check, auth_required=True, auth_require_tls=False
        )

    def _check(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        right = (data.login, data.password) == self._login
        self.refused += not right
        return AuthResult(success=right)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b""))
        return "250 OK"

    @property
    def port(self) -> int:
        return int(self._server.port)

    @property
    def texts(self) -> str:
        """Everything that was said; several notices may have come in one mail."""
        return "\n".join(f"{mail['Subject']}\n{_text(mail)}" for mail in list(self.mails))


def _text(mail: Message) -> str:
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    contents = [part.get_payload(decode=True) for part in parts]
    return "\n".join(content.decode() for content in contents if isinstance(content, bytes))


@contextmanager
def mailbox(user: str, password: str) -> Iterator[Mailbox]:
    box = Mailbox(user, password)
    box._server.start()
    try:
        yield box
    finally:
        box._server.stop()


class Webhook:
    """What was posted; `answer` is the status it gives."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answer = 200
        own = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                own.paths.append(self.path)
                if own.answer == 200:
                    own.posts.append(json.loads(body))
                self.send_response(own.answer)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def texts(self) -> str:
        """Everything that was said."""
        return "\n".join(f"{post['title']}\n{post['message']}" for post in self.posts)


@contextmanager
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    hook._thread.start()
    try:
        yield hook
    finally:
        hook._server.shutdown()
        hook._server.server_close()
