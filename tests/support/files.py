"""A file server on loopback that knows ranges, and breaks off where a test says so."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support import web  # noqa: F401  no proxy for loopback


@dataclass
class FileServer:
    """Every path is the same file. Each connection takes the next of `cuts`: so many bytes of its answer, then none."""

    content: bytes
    type: str = "video/mp4"
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    validator: bool = True
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.content).hexdigest()}"'

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        asked = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(asked)
        start, total = 0, len(self.content)
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
        same = not self.validator or asked.get("if-range", self.etag) == self.etag
        if self.status != 200:
            handler.send_response(self.status)
        elif wanted and self.ranges and same and int(wanted[1]) >= total:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{total}")
            start = total
        elif wanted and self.ranges and same:
            start = int(wanted[1])
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            handler.send_response(200)
        body = self.content[start:] if self.status == 200 else b""
        if self.validator:
            handler.send_header("ETag", self.etag)
        handler.send_header("Content-Type", self.type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        sent = body[: self.cuts.pop(0)] if self.cuts else body
        handler.wfile.write(sent)
        handler.close_connection = True


@contextmanager
def file_server(content: bytes, **more: object) -> Iterator[FileServer]:
    """A server as long as the block lasts."""
    made = FileServer(content, **more)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.respond(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join(30)
