"""The service that keeps to the retention: ended jobs past their time or number go, a few at a time."""

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.ledger import audit, prune
from jobdesk.ledger.database import Ledger

PAUSE_S = 0.001
"""The least between two transactions, so that claims come in between; else it rests as long as it has worked."""
LOOK_AGAIN_S = 60.0
"""How often what was passed over is looked at again: it may have ended since, or its flow has."""
_START = (0.0, 0)


class Pruner(Service):
    """Removes what `[desk] retention`, `dead_letter_ttl`, `keep_completed` and `keep_failed` no longer keep.

    Args:
        retention_s: how long ended jobs are kept where nothing else is said; None means for ever.
    """

    name = "pruner"
    interval_s = 5.0

    def __init__(self, ledger: Ledger, clock: Clock, retention_s: float | None) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._retention_s = retention_s
        self._at: dict[object, tuple[float, int]] = {}
        """How far each search has come: by span, or by queue and states."""
        self._doomed: list[prune.Ended] = []
        """Found, and still to be removed."""
        self._remover = prune.Remover(ledger)
        self._began = clock.monotonic()

    def run_once(self) -> float | None:
        now = self.clock.monotonic()
        if now - self._began >= LOOK_AGAIN_S:
            self._at.clear()
            audit.forget(self._ledger)
            self._began = now
        if not self._doomed and not self._look():
            return None
        took_s = self._remover.step(self._doomed, "retention")[1] if self._doomed else 0.0
        return max(PAUSE_S, took_s)

    def _look(self) -> bool:
        """Find what is to be removed next; whether there is something, or may be."""
        keep, now = prune.policies(self._ledger, self._retention_s), self.clock.now()
        spans = {own.span_s(state) for own in keep.values() for state in ("completed", "failed")} - {None}
        for span_s in sorted(span for span in spans if span is not None):
            found = prune.aged(self._ledger, keep, span_s, self._at.get(span_s, _START), now)
            if self._note(span_s, found):
                return True
        for queue, states, count in prune.excess(self._ledger, keep):
            key, room = (queue, states), min(count, prune.LOOK)
            found = prune.beyond(self._ledger, queue, states, self._at.get(key, _START), now, room)
            if self._note(key, found):
                return True
        return self._old_events(now)

    def _note(self, key: object, found: prune.Found) -> bool:
        self._at[key], self._doomed = found.at, found.doomed
        return found.more or bool(found.doomed)

    def _old_events(self, now: float) -> bool:
        before = now - (self._retention_s or 0)
        if self._retention_s is None or not prune.has_old_events(self._ledger, before):
            return False
        with self._ledger.write() as tx:
            return bool(prune.old_events(tx, before))
