"""The service that turns events into notices, and notices into jobs that send them.

Jobs send, so that a target that does not answer is tried again and holds up nothing. What becomes of those jobs, and
alerts about their queue, is told to nobody: a notice that fails leads to no other.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from platform import node

from jobdesk.core.alert import NOTICE_TYPE
from jobdesk.core.clock import Clock
from jobdesk.core.errors import JobdeskError, LedgerError
from jobdesk.core.job import NewJob
from jobdesk.core.notice import ALERTS, Happened, Routing, Told, Topic, message, told
from jobdesk.core.service import Service
from jobdesk.core.submission import Submission
from jobdesk.ledger import notices
from jobdesk.ledger.database import Ledger, Tx

LOOK_S = 2.0
IDLE_S = 10.0
"""Between looks at the settings when there are no routes."""


class Notifier(Service):
    """Every consumer has one; each event is handled once."""

    name = "notifier"

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        routing: Callable[[], Routing],
        *,
        prepare: Callable[[Submission], NewJob],
        store: Callable[[Tx, Sequence[NewJob]], list[str]],
    ) -> None:
        """Args:
        routing: what the settings say now.
        prepare: checks a submission and fills it in.
        store: stores jobs in a transaction that is open.
        """
        super().__init__(clock)
        self._ledger = ledger
        self._routing = routing
        self._prepare = prepare
        self._store = store
        self._stopped = False

    def run_once(self) -> float | None:
        routing = self._routing()
        if not routing.routes:
            if not self._stopped:
                notices.stop(self._ledger)
                self._stopped = True
            return IDLE_S
        self._stopped = False
        if self._listen(routing):
            return 0.0
        return max(0.1, min(LOOK_S, self._send(routing, routing.group_s)))

    def hurry(self) -> bool:
        """Handle all that happened and send what may be sent, at once; whether that made jobs or more is to be done."""
        routing = self._routing()
        if not routing.routes:
            return False
        more = self._listen(routing)
        before = self._sent
        self._send(routing, 0.0)
        return more or self._sent != before

    _sent = 0

    # ── events to notices ──

    def _listen(self, routing: Routing) -> bool:
        """Handle some events; whether there are more."""
        now = notices.outlook(self._ledger)
        if now.mark is None:
            notices.begin(self._ledger)
            return False
        last = min(now.newest, now.mark + notices.STEP)
        if last <= now.mark:
            return False
        topics = frozenset[Topic]().union(*(route.events for route in routing.routes))
        found = notices.happened(self._ledger, now.mark, last, topics)
        made = self._matched(routing, found)
        with self._ledger.write() as tx:
            notices.take_down(tx, now.mark, last, made)
        return last < now.newest

    def _matched(self, routing: Routing, found: Sequence[Happened]) -> dict[str, list[Told]]:
        """The notices of each target; an event is told to it once, in the words of the first route that leads there."""
        host = node()
        known = [
            replace(one, values={**one.values, "host": host})
            for one in found
            if not one.silenced and not (one.topic in ALERTS and one.values.get("queue") == routing.queue)
        ]
        made: dict[str, list[Told]] = {}
        done: set[tuple[int, str]] = set()
        for route in routing.routes:
            taken = [(at, one) for at, one in enumerate(known) if route.takes(one)]
            if route.query is not None:
                seqs = {one.seq for _, one in taken if one.seq is not None}
                fit = notices.fitting(self._ledger, route.query, seqs) if seqs else set()
                taken = [(at, one) for at, one in taken if one.seq in fit]
            for at, one in taken:
                for target in route.to:
                    if (at, target) not in done:
                        done.add((at, target))
                        made.setdefault(target, []).append(told(one, route))
        return made

    # ── notices to jobs ──

    def _send(self, routing: Routing, group_s: float) -> float:
        """Send what has waited so long and may be sent; seconds until something else can be."""
        soonest = LOOK_S
        for one in notices.waiting(self._ledger):
            if one.target not in routing.targets:
                self._forget(one)
                continue
            now = self.clock.now()
            gathered_s = now - one.since
            open_at = notices.opens_at(self._ledger, one.target, routing.rate, now)
            wait_s = max(group_s - gathered_s if gathered_s >= 0 else 0.0, open_at - now)
            if wait_s <= 0:
                self._make_job(one)
            else:
                soonest = min(soonest, wait_s)
        return soonest

    def _forget(self, one: notices.Waiting) -> None:
        with self._ledger.write() as tx:
            notices.take(tx, one)
        logging.getLogger("jobdesk").warning("%d notices to %s are dropped: the target is gone", one.count, one.target)

    def _make_job(self, one: notices.Waiting) -> None:
        text = message(one.notices, one.count)
        try:
            job = self._prepare(
                Submission(type=NOTICE_TYPE, data={"target": one.target, **text.to_json()}, source="notify")
            )
            with self._ledger.write() as tx:
                if notices.take(tx, one):
                    (id_,) = self._store(tx, [job])
                    notices.sent(tx, one.target, id_)
        except LedgerError:
            raise
        except JobdeskError as error:  # a full queue: it waits on
            logging.getLogger("jobdesk").warning("the notice to %s waits: %s", one.target, error)
            return
        self._sent += 1
