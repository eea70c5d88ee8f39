"""systemd is told, over a real datagram socket, that a consumer is ready, alive, and stopping; and only the truth."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.clock import SystemClock
from jobdesk.runtime.sdnotify import ServiceManager, Watchdog, manager_of
from tests.support.clock import FakeClock
from tests.support.home import DEADLINE_S, end, kill, make_home, until

PROCESSORS = """
import os
from jobdesk import Context, processor

@processor("spy")
def spy(ctx: Context) -> list[str]:
    "What of the manager a job's process sees."
    return [name for name in os.environ if name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")]
"""


class Manager:
    """What systemd does: a socket that hears datagrams."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.heard: list[dict[str, str]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while content := self.socket.recv(4096):
            self.heard.append(dict(line.split("=", 1) for line in content.decode().splitlines()))

    def close(self) -> None:
        """Hear what lies there, and no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self._thread.join()
        self.socket.close()

    def hear(self, name: str, times: int = 1) -> dict[str, str]:
        """The message that says `name` for the so-many-th time; waits for it."""
        until(lambda: sum(name in one for one in self.heard) >= times)
        return [one for one in self.heard if name in one][times - 1]


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "path":
        return str(tmp_path / "notify")
    if sys.platform != "linux":
        pytest.skip("only Linux has sockets without a file")
    return f"@jobdesk-test-{os.getpid()}-{id(tmp_path)}"


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    made = Manager(address)
    yield made
    made.close()


def test_a_consumer_says_ready_then_alive_then_stopping(tmp_path: Path, address: str, manager: Manager) -> None:
    home = make_home(tmp_path, PROCESSORS)
    worker = subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer", "--workers", "2"],
        env=os.environ | {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "600000"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        ready = manager.hear("READY")
        assert ready == {"READY": "1", "STATUS": f"0 of 2 workers busy on {home}"}
        assert "READY" in manager.heard[0]
        assert manager.hear("WATCHDOG", times=3)["WATCHDOG"] == "1"
        desk = Desk(home)
        assert desk.wait(desk.submit("spy").id, timeout=DEADLINE_S).result == []
        desk.close()
        kill(worker, signal.SIGTERM)
        stopping = manager.hear("STOPPING")
        assert stopping["STOPPING"] == "1" and int(stopping["EXTEND_TIMEOUT_USEC"]) > 0
        assert worker.returncode == 0
        assert manager.heard[-1] is stopping, "nothing is said after STOPPING"
    finally:
        end(worker)


def test_the_watchdog_is_told_nothing_once_worker_threads_have_died(
    tmp_path: Path, address: str, manager: Manager
) -> None:
    home = make_home(tmp_path)
    desk = Desk(home)
    engine = desk.engine("consumer", workers=2)
    told = ServiceManager(address, 0.3)
    watchdog = Watchdog(told, SystemClock(), alive=lambda: engine.alive, status=lambda: "works")
    assert not engine.alive
    engine.start()
    try:
        assert engine.alive
        watchdog.run_once()
        assert manager.hear("WATCHDOG") == {"WATCHDOG": "1", "STATUS": "works"}
        engine.tend = lambda: None  # what would replace them
        threads = [thread for _, thread in engine._consumer.worker_threads]
        engine._consumer.shut()
        until(lambda: not any(thread.is_alive() for thread in threads))
        watchdog.run_once()
        assert manager.hear("STATUS", times=2) == {"STATUS": "its worker threads have died"}
    finally:
        desk.close()
        engine.stop(0.0)


def test_pings_come_three_times_in_the_span_of_the_watchdog(manager: Manager, address: str, clock: FakeClock) -> None:
    heard = threading.Event()

    def alive() -> bool:
        if clock.now() >= 1_800_000_000 + 60:
            heard.set()
        return True

    watchdog = Watchdog(ServiceManager(address, 60.0), clock, alive=alive, status=lambda: "x")
    assert watchdog.interval_s == 20.0
    watchdog.start()
    assert heard.wait(DEADLINE_S)
    watchdog.stop()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"NOTIFY_SOCKET": "/run/x"}, None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}, 30.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_environment_says_whom_to_tell_and_keeps_nothing_for_children(
    environment: dict[str, str], watchdog_s: float | None
) -> None:
    found = manager_of(environment)
    assert found is not None and found.watchdog_s == watchdog_s
    assert environment == {}


def test_without_a_manager_nothing_is_told_and_a_deaf_one_harms_nobody(tmp_path: Path) -> None:
    assert manager_of({}) is None
    assert manager_of({"NOTIFY_SOCKET": "vsock:2:1"}) is None
    assert ServiceManager(str(tmp_path / "nobody"), None).send(READY=1) is False
