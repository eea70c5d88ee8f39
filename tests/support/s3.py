"""A real S3-compatible server on loopback: moto's, in a process of its own."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

DEADLINE_S = 60.0
BUCKET = "photos"
_SERVER = """\
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


@contextmanager
def server() -> Iterator[str]:
    """Its address; there is a bucket in it already."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/{BUCKET}", method="PUT"), timeout=30).close()
                break
            except OSError:
                assert time.monotonic() < end, "the S3 server did not begin to answer"
                time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def settings(address: str, folder: str = "desk") -> Mapping[str, Any]:
    """The keys of `[storage]` that lead there."""
    return {
        "url": f"s3://{BUCKET}/{folder}",
        "options": {
            "endpoint": address, "region": "us-east-1", "access_key_id": "any", "secret_access_key": "${env:S3_SECRET}",
        },
        "retries": 1,
    }  # fmt: skip
