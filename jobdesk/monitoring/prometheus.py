"""Metrics in the words of Prometheus, and a small server for them on this machine only."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from jobdesk.core.errors import UsageError
from jobdesk.core.job import State

ADDRESS = "127.0.0.1"
_TIMES = {"queue": "queueTime", "processing": "processingTime", "total": "totalTime"}
_RATES = {"completion": "completionRate", "failure": "failureRate", "retry": "retryRate"}
_ENDS = ("completed", "failed", "cancelled", "expired")


def exposition(found: dict[str, Any]) -> str:
    """What `metrics` found as Prometheus text: seconds, bytes, ratios from 0 to 1."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Found(found))
    return generate_latest(registry).decode()


class _Found:
    """One answer of `metrics` as families of gauges: all is of a window that moves, so nothing only rises."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        found = self._found
        yield _family("jobs", "Jobs in each state now", ["state"], (((s.value,), found[s.value]) for s in State))
        yield _family("lag_seconds", "How long the oldest ready job waits", [], [((), found["lag"] / 1000)])
        yield _family("database_bytes", "Size of the database", [], [((), found["databaseSize"])])
        hours = f"in the last {found['hours']:g} hours"
        for part in ("queue", "type"):
            yield _family(f"{part}_ended_jobs", f"Jobs that ended {hours}", [part, "state"], self._ended(f"{part}s"))
        yield _family("jobs_per_minute", f"Jobs run {hours}", [], [((), found["processingRate"])])
        yield _family(
            "ratio", f"Part of the jobs that ended {hours}", ["of"],
            (((name,), found[key] / 100) for name, key in _RATES.items()),
        )  # fmt: skip
        about = f"Times of the jobs that ended {hours}"
        yield _family("time_seconds", about, ["of", "quantile"], _times(found))
        yield _family("queue_time_seconds", about, ["queue", "of", "quantile"], self._part_times("queues"))
        yield _family(
            "errors", f"Jobs that fell to the dead letters {hours}", ["error"],
            (((name,), n) for name, n in found["errors"].items()),
        )  # fmt: skip
        yield _family(
            "worker_jobs", f"Jobs that a worker ran {hours}", ["worker", "state"],
            (((name, end), one[end]) for name, one in found["workers"].items() for end in ("completed", "failed")),
        )  # fmt: skip
        yield _family("worker_time_seconds", about, ["worker", "of", "quantile"], self._part_times("workers"))
        yield from self._consumers()
        cpu, memory = found["cpu"], found["memory"]
        yield _family(
            "job_cpu_seconds", f"CPU time of a job {hours}", ["of"],
            [(("average",), cpu["average"] / 1000), (("max",), cpu["max"] / 1000)],
        )  # fmt: skip
        yield _family(
            "job_memory_bytes", f"Most memory of a job {hours}", ["of"],
            [(("average",), memory["average"]), (("max",), memory["max"])],
        )  # fmt: skip

    def _ended(self, parts: str) -> Iterator[tuple[tuple[str, ...], float]]:
        for name, part in self._found[parts].items():
            for end in _ENDS:
                yield (name, end), part[end]

    def _part_times(self, parts: str) -> Iterator[tuple[tuple[str, ...], float]]:
        for name, part in self._found[parts].items():
            for labels, span_s in _times(part):
                yield (name, *labels), span_s

    def _consumers(self) -> Iterator[Metric]:
        """What the consumers' processes use themselves; of those that have said it."""
        known = {id_: one for id_, one in self._found["consumers"].items() if one["memory"] is not None}
        for name, about, key, part in (
            ("cpu_ratio", "Part of a core that a consumer's own process uses", "cpu", 100),
            ("cpu_seconds", "CPU time of a consumer's own process since it started", "cpuTotal", 1000),
            ("memory_bytes", "Memory of a consumer's own process", "memory", 1),
        ):
            samples = (((id_,), one[key] / part) for id_, one in known.items())
            yield _family(f"consumer_{name}", about, ["consumer"], samples)


def _times(part: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, key in _TIMES.items():
        for percent in (50, 95, 99):
            yield (name, str(percent / 100)), part[key][f"p{percent}"] / 1000


def _family(
    name: str, about: str, labels: list[str], samples: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"jobdesk_{name}", about, labels=labels)
    for values, number in samples:
        family.add_metric(list(values), number)
    return family


class MetricsServer:
    """Serves `/metrics`, `/health` and `/health/detailed` on 127.0.0.1 until it is stopped; it reads for one at a time.

    Args:
        port: 0 takes any that is free.
        health: the answer of `Desk.health`; True wants its details.

    Raises:
        UsageError: the port is taken or not ours to take.
    """

    def __init__(
        self, port: int, metrics: Callable[[], dict[str, Any]], health: Callable[[bool], dict[str, Any]]
    ) -> None:
        class Handler(_Handler):
            answers: ClassVar = {
                "/metrics": lambda: _as_text(metrics()),
                "/health": lambda: _as_health(health(False)),
                "/health/detailed": lambda: _as_health(health(True)),
            }

        try:
            self._server = _Server((ADDRESS, port), Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"--metrics-port {port} cannot be used ({why}): choose another") from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="jobdesk-metrics", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """A thread for each connection: one that says nothing keeps nobody else from asking how the desk is."""

    daemon_threads = True
    block_on_close = False


_Answer = tuple[int, str, str]


def _as_text(found: dict[str, Any]) -> _Answer:
    return 200, CONTENT_TYPE_LATEST, exposition(found)


def _as_health(found: dict[str, Any]) -> _Answer:
    return 503 if found["status"] == "error" else 200, "application/json", json.dumps(found, ensure_ascii=False) + "\n"


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, Callable[[], _Answer]]] = {}
    reading: ClassVar = threading.Lock()
    timeout = 10

    def do_GET(self) -> None:
        """Answer; a page of another site that has its name point here is refused by its Host."""
        if self.headers.get("Host", "").rpartition(":")[0] not in (ADDRESS, "localhost"):
            self._send(403, "text/plain", "only 127.0.0.1 and localhost are served\n")
            return
        answer = self.answers.get(self.path.partition("?")[0])
        if answer is None:
            self._send(404, "text/plain", "there are /metrics, /health and /health/detailed\n")
            return
        try:
            with self.reading:
                found = answer()
            self._send(*found)
        except OSError:  # whoever asked has gone
            return
        except Exception:
            logging.getLogger("jobdesk").exception("%s could not be answered", self.path)
            self._send(500, "text/plain", "it could not be read: see the log\n")

    def _send(self, code: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a scrape every few seconds is no news."""
