"""Virus scanners for tests: the real clamd with one signature of our own, and a small server that speaks INSTREAM."""

import hashlib
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
MARK = b"jobdesk test infection, harmless"
"""What the scanners of this module call infected, wherever it stands in a file."""


def eicar_file() -> bytes:
    """The harmless file that every scanner finds; put together here, so that none finds this one."""
    return rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


_CONF = """\
Foreground yes
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}/db
TemporaryDirectory {folder}
PidFile {folder}/clamd.pid
StreamMaxLength 1M
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def real() -> Iterator[str]:
    """A clamd of our own with two local signatures; its address. It needs no downloaded database."""
    assert CLAMD is not None
    folder = Path(tempfile.mkdtemp(prefix="jobdesk-clamd-"))  # short: a socket's path may have 107 bytes
    (folder / "db").mkdir()
    (folder / "db" / "local.ndb").write_text(f"Test.Mark:0:*:{MARK.hex()}\n")
    eicar = eicar_file()
    (folder / "db" / "eicar.hdb").write_text(f"{hashlib.md5(eicar).hexdigest()}:{len(eicar)}:Eicar-Test-Signature\n")
    whole = b"the whole file " + MARK
    (folder / "db" / "local.hdb").write_text(f"{hashlib.md5(whole).hexdigest()}:{len(whole)}:Test.Whole\n")
    (folder / "clamd.conf").write_text(_CONF.format(folder=folder, port=_free_port()))
    process = subprocess.Popen(
        [CLAMD, "--config-file", str(folder / "clamd.conf")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Self checking every" in line:  # the last that it says before it listens
                break
        else:
            raise AssertionError(f"clamd did not start: {''.join(said)}")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield str(folder / "clamd.sock")
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


@contextmanager
def served(answer: bytes | None = None) -> Iterator[str]:
    """A server that reads INSTREAM and searches for MARK, or gives one fixed `answer` to every scan; its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            command = b""
            while not command.endswith(b"\0") and (byte := self.rfile.read(1)):
                command += byte
            if command == b"zVERSION\0":
                self.wfile.write(b"ClamAV 0.0.0/test\0")
                return
            assert command == b"zINSTREAM\0", command
            content = b""
            while length := struct.unpack(">I", self.rfile.read(4))[0]:
                content += self.rfile.read(length)
            verdict = b"stream: Test.Mark FOUND\0" if MARK in content else b"stream: OK\0"
            self.wfile.write(verdict if answer is None else answer)

    folder = Path(tempfile.mkdtemp(prefix="jobdesk-scan-"))
    with socketserver.ThreadingUnixStreamServer(str(folder / "clamd.sock"), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield str(folder / "clamd.sock")
        finally:
            server.shutdown()
            thread.join(10)
            shutil.rmtree(folder)
