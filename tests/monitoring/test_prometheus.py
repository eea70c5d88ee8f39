"""Prometheus text, and the port on which a consumer serves it to this machine."""

import json
import socket
import urllib.request
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError

from prometheus_client.parser import text_string_to_metric_families

from tests.support.home import command, consumer, end, make_home, said, until

PROCESSORS = """
from jobdesk import Context, processor

@processor("quick", isolation="thread")
def quick(ctx: Context) -> None:
    "Does nothing."
"""


def numbers(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def get(port: int, path: str, host: str | None = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def is_up(port: int) -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10).status)
    except (URLError, OSError):
        return False


def worker_of(home: Path) -> str:
    """A worker that has run something."""
    return str(next(iter(said(home, "metrics", "--json").json["workers"])))


def test_a_consumer_serves_what_it_has_done_and_how_it_is_to_this_machine_only(tmp_path: Path) -> None:
    home, port = make_home(tmp_path, PROCESSORS), free_port()
    worker = consumer(home, "--metrics-port", str(port))
    try:
        until(lambda: is_up(port))
        for _ in range(3):
            assert said(home, "submit", "quick", "--wait").code == 0
        code, text = get(port, "/metrics")
        found = numbers(text)
        assert code == 200 and found["jobdesk_jobs", "state=completed"] == 3
        assert found["jobdesk_type_ended_jobs", "state=completed,type=quick"] == 3
        assert ("jobdesk_worker_time_seconds", f"of=total,quantile=0.99,worker={worker_of(home)}") in found
        (memory,) = [value for (name, _), value in found.items() if name == "jobdesk_consumer_memory_bytes"]
        assert memory > 1_000_000
        code, text = get(port, "/health")
        assert code == 200 and json.loads(text)["checks"]["database"] is True
        assert get(port, "/elsewhere")[0] == 404
        assert get(port, "/metrics", host="evil.example:80")[0] == 403, (
            "a page elsewhere cannot read it by DNS rebinding"
        )
        with ExitStack() as idle:  # as browsers keep some: each would hold up a server of one thread for ten seconds
            for _ in range(6):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert get(port, "/health")[0] == 200
        taken = command(home, "--consumer", "--drain", "--metrics-port", str(port))
        assert taken.code == 2 and "cannot be used" in taken.error
        same = numbers(said(home, "metrics", "--prometheus").out)
        assert same["jobdesk_jobs", "state=completed"] == 3
    finally:
        end(worker)
