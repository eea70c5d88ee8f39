"""Events for others by webhook: each webhook's next events become a job that delivers them, one job at a time.

The order is kept: the next delivery is made when the one before has ended. One that failed for good lies in the dead
letters, to be retried by hand, and the webhook goes on behind it. Events of deliveries themselves are never delivered.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobdesk.core.events import Event
from jobdesk.core.query import parse
from jobdesk.core.service import Service
from jobdesk.core.submission import Submission
from jobdesk.ledger import glance, reads, search, webhooks

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.sections.webhooks import WebhookSettings

DELIVERY = "webhook.deliver"
"""The job type of a delivery."""
MOST = 100
"""Events of one delivery."""
LOOK = 500
"""Events that one look reads."""
LONGEST_WAIT = "15m"
"""Between two attempts to deliver: with 20 retries it tries for some four hours."""
IDLE_S = 10.0
"""How often settings without webhooks are looked at again."""


class Herald(Service):
    """Makes the deliveries of all webhooks of a desk; several at once do no harm to each other."""

    name = "herald"
    interval_s = 1.0

    def __init__(self, desk: "Desk") -> None:
        super().__init__(desk.clock)
        self._desk = desk
        self._looked: dict[str, int] = {}
        """By webhook the event up to which there was nothing that it wants; the ledger need not know."""

    def run_once(self) -> float | None:
        hooks = self._desk.config.webhooks
        if not hooks:
            return IDLE_S
        newest = glance.newest_event(self._desk.ledger)
        more = [self._tell(hook, newest) for hook in hooks if self._looked.get(hook.name, -1) < newest]
        return 0.0 if any(more) else None

    def _tell(self, hook: "WebhookSettings", newest: int) -> bool:
        """Take a webhook one step on; whether there is more to look at now."""
        ledger = self._desk.ledger
        standing = webhooks.standing(ledger, hook.name)
        if standing is None:
            webhooks.begin(ledger, hook.name)
            return False
        if standing.busy:
            return False
        at = max(standing.cursor, self._looked.get(hook.name, 0))
        found = reads.events(ledger, after=at, limit=LOOK)
        wanted = self._wanted(hook, found)[:MOST]
        last = int(wanted[-1]["id"]) if len(wanted) == MOST else found[-1].id if found else at
        if not wanted:
            self._looked[hook.name] = last
            return last < newest
        with ledger.write() as tx:
            if webhooks.standing(tx, hook.name) == standing:  # else another consumer was first
                made = self._desk.prepare(
                    Submission(
                        type=DELIVERY,
                        data={"webhook": hook.name, "events": wanted},
                        queue=hook.queue,
                        max_delay=LONGEST_WAIT,
                    )
                )
                self._desk.store(tx, [made])
                webhooks.advance(tx, hook.name, last, made.id)
        return False

    def _wanted(self, hook: "WebhookSettings", found: Sequence[Event]) -> list[dict[str, Any]]:
        kinds, ledger = hook.kinds, self._desk.ledger
        chosen = [event for event in found if event.kind in kinds]
        jobs = webhooks.types(ledger, sorted({event.job_id for event in chosen if event.job_id}))
        fits = {id_ for id_, (type_, _) in jobs.items() if type_ != DELIVERY and self._fits(hook, id_)}
        return [
            event.to_json() | ({"type": jobs[event.job_id][0]} if event.job_id else {})
            for event in chosen
            if (event.job_id in fits if event.job_id else not hook.query)
        ]

    def _fits(self, hook: "WebhookSettings", id_: str) -> bool:
        return not hook.query or bool(search.ids(self._desk.ledger, parse(f"id:{id_} {hook.query}"), 1))
