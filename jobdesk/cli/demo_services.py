"""What the demo calls: a test bank, a shop, discovery services and a mail server, all on loopback, none of them real.

They speak the protocols of the true ones, so the demo's jobs go through the real clients. The bank declines the first
attempt of each payment and charges nobody; the mail server throws away what it takes.
"""

import json
import re
import socketserver
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobdesk.home import Home

FILM = "library/demo/film.mp4"
"""Below the home; what the scraping service says that each reel's video is."""
_BODY_BYTES = 20_000_000
_KNOWN = re.compile(r'url = "http://127\.0\.0\.1:(\d+)/test-bank.*?^port = (\d+)', re.S | re.M)
_ORDERS = [
    {"order": "1042", "total": "129.90", "currency": "EUR"},
    {"order": "1043", "total": "8.50", "currency": "EUR"},
]
_REELS = [
    {"id": "reel1", "views": 1200, "likes": 160, "comments": 12, "shares": 3},
    {"id": "reel2", "views": 800, "likes": 20, "comments": 1, "shares": 0},
]


class DemoServices:
    """Answers until it is closed.

    Args:
        home: in which the film lies that a job of the demo makes.
        ports: of HTTP and of mail; 0 is any.

    Raises:
        OSError: a port is taken.
    """

    def __init__(self, home: Path, ports: tuple[int, int] = (0, 0)) -> None:
        self.film = home / FILM
        self._attempts: dict[str, dict[str, Any]] = {}
        """Payments of the bank by their key."""
        self._web = ThreadingHTTPServer(("127.0.0.1", ports[0]), _handler(self))
        try:
            self._mail = _MailServer(("127.0.0.1", ports[1]), _Mail)
        except OSError:
            self._web.server_close()
            raise
        for server in (self._web, self._mail):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, name="jobdesk-demo-services", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._web.server_address[1]}"

    def settings(self) -> str:
        """The part of jobdesk.toml that names them."""
        names = ("business-discovery", "instagram-detection", "video-scraping", "video-analysis")
        found = "".join(f'[services.{name}]\nurl = "{self.url}/{name}"\n' for name in names)
        return (
            "# Test services of the demo itself, there as long as it runs: nobody is charged, no mail leaves.\n"
            f'[providers.yookassa]\nurl = "{self.url}/test-bank/v3"\nshop_id = "demo"\n'
            '[payments]\ndelay = "2s"\nfactor = 2\n'
            f'[services.demo-shop]\nurl = "{self.url}/shop"\n{found}'
            f'[email]\nhost = "127.0.0.1"\nport = {self._mail.server_address[1]}\nsecurity = "none"\n'
            'sender = "Demo <demo@example.org>"\n'
        )

    def close(self) -> None:
        for server in (self._web, self._mail):
            server.shutdown()
            server.server_close()

    def answer(self, method: str, path: str, body: bytes, key: str) -> tuple[int, Any]:
        """Status and JSON of the answer to a request."""
        match method, *path.partition("?")[0].strip("/").split("/"):
            case "POST", "test-bank", "v3", "payments":
                return 200, self._pay(json.loads(body), key)
            case "GET", "test-bank", "v3", "payments", id_:
                found = next((one for one in self._attempts.values() if one["id"] == id_), None)
                return (404, {}) if found is None else (200, found)
            case "GET", "shop", "orders.json":
                return 200, {"orders": _ORDERS}
            case "POST", "shop", "hooks":
                return 200, {"received": True}
            case "POST", _, "discover-competitors":
                return 200, {"businesses": [{"id": "own", "name": "Trattoria Ada"}]}
            case "POST", _, "detect-instagram-profiles":
                return 200, {"profiles": [{"profileId": "p1", "username": "trattoria.ada", "businessId": "own"}]}
            case "POST", _, "analyze-reels":
                return 200, {"reels": _REELS if self.film.exists() else []}
            case "POST", _, "scrape-instagram-videos":
                return 200, {"videos": [{"id": one["id"], "videoUrl": f"{self.url}/film.mp4"} for one in _REELS]}
            case "POST", _, "analyze-video-content":
                return 200, {"analysis": {"topics": ["pasta", "evening"], "mood": "warm"}}
        return 404, {"error": "there is nothing here"}

    def _pay(self, asked: Mapping[str, Any], key: str) -> dict[str, Any]:
        if key not in self._attempts:
            made = {"id": f"test-{len(self._attempts) + 1}", "amount": asked["amount"], "metadata": asked["metadata"]}
            name = asked["metadata"]["jobdesk_payment"]
            again = any(one["metadata"]["jobdesk_payment"] == name for one in self._attempts.values())
            refused = {"party": "issuer", "reason": "insufficient_funds"}
            came = {"status": "succeeded"} if again else {"status": "canceled", "cancellation_details": refused}
            self._attempts[key] = made | came
        return self._attempts[key]


def begun(home: "Home") -> DemoServices | None:
    """The services of a home; on the former ports where the demo has been before, None if they are taken."""
    if not (home.settings.exists() or home.database.exists()):
        return DemoServices(home.path)
    known = _KNOWN.search(home.settings.read_text("utf-8")) if home.settings.exists() else None
    try:
        return None if known is None else DemoServices(home.path, (int(known[1]), int(known[2])))
    except OSError:
        return None


def _handler(services: DemoServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/film.mp4" and services.film.exists():
                self._send(200, services.film.read_bytes(), "video/mp4")
            else:
                self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "0")
            self._answer(self.rfile.read(min(int(length), _BODY_BYTES)) if length.isdecimal() else b"")

        def _answer(self, body: bytes) -> None:
            try:
                status, said = services.answer(self.command, self.path, body, self.headers.get("idempotence-key", ""))
            except (ValueError, KeyError, TypeError):
                status, said = 400, {"error": "that makes no sense"}
            self._send(status, json.dumps(said).encode(), "application/json")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The terminal is the app's."""

    return Handler


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


class _Mail(socketserver.StreamRequestHandler):
    """Just enough SMTP to be given mail."""

    def handle(self) -> None:
        self._say("220 demo")
        while line := self.rfile.readline(2000):
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                while (text := self.rfile.readline(2000)) not in (b".\r\n", b""):
                    pass
                self._say("250 thrown away" if text else "451 cut off")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine" if word in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP") else "502 no")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
