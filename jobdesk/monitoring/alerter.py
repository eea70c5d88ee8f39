"""The service that looks at the rules of alerts; every consumer has one, and one of them looks at a time."""

import logging
from collections.abc import Callable

from jobdesk.core.alert import Reading
from jobdesk.core.clock import Clock
from jobdesk.core.errors import LedgerError
from jobdesk.core.service import Service
from jobdesk.ledger import alerts, gauges
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.measures import Measurer, Watch, worst

IDLE_S = 15.0
"""Between looks when there are no rules: what is open is cleared."""
SIGNALS_S = 7 * 86400.0
SHARE = 200
"""A rule rests so many times as long as measuring it took: a query that has to read many jobs is looked at less often,
but at every tenth look."""
LOOKS = 10


class Alerter(Service):
    """Measures what the rules name, and writes what holds, began or ended since the last look of any process."""

    name = "alerter"

    def __init__(self, ledger: Ledger, clock: Clock, watch: Callable[[], Watch], told: Callable[[], None]) -> None:
        """Args:
        watch: what the settings say now.
        told: called when something was raised or cleared.
        """
        super().__init__(clock)
        self._ledger = ledger
        self._watch = watch
        self._told = told
        self._measurer = Measurer(ledger)
        self._rests: dict[str, float] = {}
        """Until when, on the monotonic clock, a costly rule is left alone."""
        self._began = False

    def run_once(self) -> float | None:
        watch = self._watch()
        if not self._began:  # what a start finds and mends at once is no news
            self._began = True
            return watch.look_s
        if not watch.rules and not alerts.open_alerts(self._ledger, self.clock.now()):
            return IDLE_S
        self.look(watch)
        return watch.look_s

    def look(self, watch: Watch, *, at_once: bool = False) -> None:
        """Look once, unless another process has just done so and it need not be `at_once`."""
        if not at_once and not alerts.is_due(alerts.looked_at(self._ledger), self.clock.now(), watch.look_s):
            return
        while gauges.listen(self._ledger, self.clock.now() - SIGNALS_S):
            pass
        found = self._beyond(watch)
        with self._ledger.write() as tx:
            seen = alerts.take_down(tx, watch.rules, found, watch.look_s, at_once=at_once)
        if seen is None:
            return
        for said in seen.raised:
            logging.getLogger("jobdesk").warning("alert %s", said)
        for name in seen.cleared:
            logging.getLogger("jobdesk").info("alert %s is over", name)
        if seen.raised or seen.cleared:
            self._told()

    def _beyond(self, watch: Watch) -> dict[str, list[Reading]]:
        """By rule what is beyond its threshold; rules that rest or cannot be measured are left out."""
        found: dict[str, list[Reading]] = {}
        for rule in watch.rules:
            began = self.clock.monotonic()
            if began < self._rests.get(rule.name, began):
                continue
            try:
                readings = self._measurer.read(rule, watch)
            except LedgerError:
                raise
            except Exception:  # whatever is wrong with this one, the others are looked at
                logging.getLogger("jobdesk").exception("the rule %s cannot be measured", rule.name)
                continue
            found[rule.name] = worst(rule, (one for one in readings if rule.breached(one.value)))
            rest_s = min(SHARE * (self.clock.monotonic() - began), LOOKS * watch.look_s)
            self._rests[rule.name] = began + rest_s
        return found
