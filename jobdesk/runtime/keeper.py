"""What services need beside their callers: jobs that wait are called back, health URLs are asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import probes, waiting
from jobdesk.ledger.database import Ledger
from jobdesk.runtime.probing import probe

WAITS_S = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """A service and its health URL. Spans in seconds."""

    url: str
    timeout_s: float
    every_s: float | None
    """None: it has none, and is asked only when somebody has it checked."""


class ServiceKeeper(Service):
    """Rests long while nobody waits and nothing is to be asked.

    No secret is sent to a health URL: they are read in the processes of jobs only.
    """

    name = "services"
    interval_s = 10.0

    def __init__(self, ledger: Ledger, clock: Clock, targets: Callable[[], Mapping[str, Target]]) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._targets = targets
        self._synced: dict[str, float | None] | None = None
        """Services that are known, and how often they are asked."""

    def run_once(self) -> float | None:
        waits, more = waiting.call_due(self._ledger)
        if more:
            return 0.001
        rest_s = WAITS_S if waits else self.interval_s
        targets = self._targets()
        every = {name: one.every_s for name, one in targets.items()}
        spans = {name: span_s for name, span_s in every.items() if span_s is not None}
        if every != self._synced:
            probes.sync(self._ledger, spans, every)
            self._synced = every
        if not spans:
            return rest_s
        due_at = probes.next_due(self._ledger)
        now = self.clock.now()
        if due_at is None or now < due_at <= now + max(spans.values()):
            return rest_s
        with self._ledger.write() as tx:
            taken = probes.take(tx, spans)
        for name in taken:
            if self._stop.is_set():
                break
            began = self.clock.monotonic()
            ok, message = probe(targets[name].url, targets[name].timeout_s)
            with self._ledger.write() as tx:
                probes.answered(tx, name, ok, message, round((self.clock.monotonic() - began) * 1000, 1))
        return rest_s
