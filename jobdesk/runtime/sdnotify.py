"""Telling systemd how a consumer is: a datagram to the socket that it names, and nothing where it names none.

READY once jobs are run, STATUS for `systemctl status`, WATCHDOG while the threads that run jobs live, STOPPING at the
end. See sd_notify(3): lines of NAME=VALUE in one datagram.
"""

import logging
import os
import socket
from collections.abc import Callable, MutableMapping
from contextlib import suppress

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service

_SOCKET, _SPAN, _PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_TELL_S = 30.0
"""How often the status is told where no watchdog waits."""
_SEND_S = 1.0
"""How long a manager that does not take what lies before it is waited for."""
_PINGS = 3
"""In the time after which a watchdog takes us for dead."""


class ServiceManager:
    """Whoever started this process and wants to be told."""

    def __init__(self, address: str, watchdog_s: float | None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        """It kills us after so many seconds of silence; None means never."""

    def send(self, **lines: str | int) -> bool:
        """Tell it; False if it does not listen, which is no reason to fail."""
        text = "\n".join(f"{name}={str(value).splitlines()[0]}" for name, value in lines.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            one.settimeout(_SEND_S)
            one.connect(self._address)
            one.sendall(text.encode())
            return True
        return False


def manager_of(environment: MutableMapping[str, str]) -> ServiceManager | None:
    """The manager that the environment names; it is taken out of there, for it is none of our children's."""
    address, span, pid = (environment.pop(name, "") for name in (_SOCKET, _SPAN, _PID))
    if not address.startswith(("/", "@")):
        return None
    watched = span.isdigit() and int(span) > 0 and pid in ("", str(os.getpid()))
    return ServiceManager(address, int(span) / 1e6 if watched else None)


class Watchdog(Service):
    """Says again and again how it goes, and that the worker threads live: only while they do."""

    name = "watchdog"

    def __init__(
        self, manager: ServiceManager, clock: Clock, *, alive: Callable[[], bool], status: Callable[[], str]
    ) -> None:
        super().__init__(clock)
        self._manager = manager
        self._alive = alive
        self._status = status
        self.interval_s = _TELL_S if manager.watchdog_s is None else manager.watchdog_s / _PINGS

    def start(self) -> None:
        """Say that all is ready, and go on saying how it goes."""
        self._manager.send(READY=1, STATUS=self._status())
        super().start()

    def stopping(self, grace_s: float) -> None:
        """Say that the end has begun, and how long it may take."""
        self.stop()  # first: nothing is said after that
        self._manager.send(STOPPING=1, STATUS="stopping", EXTEND_TIMEOUT_USEC=round(grace_s * 1e6))

    def run_once(self) -> float | None:
        if self._alive():
            self._manager.send(WATCHDOG=1, STATUS=self._status())
        else:
            logging.getLogger("jobdesk").error("worker threads have died: the watchdog is not told that all is well")
            self._manager.send(STATUS="its worker threads have died")
        return None
