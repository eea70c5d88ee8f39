"""Speaking to clamd: the two commands of its socket that a scan needs.

Its own client and not the package clamav-client: the protocol is four lines, this way is twice as
quick on a photo (14 ms against 23 for 7 MB), and a machine without clamd needs nothing installed.
"""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

USUAL_SOCKETS = ("/run/clamav/clamd.ctl", "/var/run/clamav/clamd.ctl", "/tmp/clamd.socket")
_CHUNK_BYTES = 128 * 1024
_ANSWER_LIMIT = 4096


class ScannerError(Exception):
    """The scanner did not answer, or not with a verdict."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """Where a clamd listens: the path of its socket, or host:port."""

    address: str

    def version(self, timeout_s: float) -> str:
        """The words of clamd about itself, for example "ClamAV 1.4.6/27000/…".

        Raises:
            ScannerError: it does not answer.
        """
        return self._ask(b"zVERSION\0", b"", timeout_s)

    def infection(self, content: bytes, timeout_s: float) -> str | None:
        """The name of what clamd found in the content; None only if it said in so many words that it is clean.

        Raises:
            ScannerError: any other answer, or none.
        """
        answer = self._ask(b"zINSTREAM\0", content, timeout_s)
        if answer == "stream: OK":
            return None
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            return answer.removeprefix("stream: ").removesuffix(" FOUND")
        if "size limit exceeded" in answer:
            raise ScannerError(
                f"the scanner takes no file of {len(content):,} bytes: raise StreamMaxLength in its clamd.conf"
            )
        raise ScannerError(f"the scanner at {self.address} answered {answer[:200]!r}, which is no verdict")

    def _ask(self, command: bytes, content: bytes, timeout_s: float) -> str:
        try:
            with self._connect(timeout_s) as connection:
                # clamd may refuse in the middle of a large file and close; its answer says why.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(command)
                    if command == b"zINSTREAM\0":
                        for at in range(0, len(content), _CHUNK_BYTES):
                            chunk = content[at : at + _CHUNK_BYTES]
                            connection.sendall(struct.pack(">I", len(chunk)) + chunk)
                        connection.sendall(struct.pack(">I", 0))
                answer = b""
                while not answer.endswith(b"\0") and len(answer) < _ANSWER_LIMIT:
                    block = connection.recv(_ANSWER_LIMIT)
                    if not block:
                        break
                    answer += block
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise ScannerError(
                f"the scanner at {self.address} does not answer ({why}): start it, or empty scanner.address"
            ) from None
        return answer.rstrip(b"\0\n").decode("utf-8", "replace")

    def _connect(self, timeout_s: float) -> socket.socket:
        host, colon, port = self.address.rpartition(":")
        if colon and port.isdigit() and "/" not in self.address:
            return socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout_s)
        try:
            connection.connect(self.address)
        except BaseException:
            connection.close()
            raise
        return connection


def find(configured: str) -> Scanner | None:
    """The scanner that the settings name, else one that listens where clamd usually does, else None."""
    if configured:
        return Scanner(configured)
    return next((Scanner(path) for path in USUAL_SOCKETS if _is_socket(path)), None)


def _is_socket(path: str) -> bool:
    try:
        return Path(path).is_socket()
    except OSError:
        return False
