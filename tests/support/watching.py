"""Rules and looks for tests of alerts: says only what a test cares about."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jobdesk.core.alert import Measure, Rule
from jobdesk.core.events import Event, Kind
from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.alerter import Alerter
from jobdesk.monitoring.measures import Watch

LOOK_S = 15.0


def rule(measure: Measure | str, name: str = "r", **over: Any) -> Rule:
    """A rule that holds above 0 if nothing else is said."""
    if "below" not in over:
        over = {"above": 0.0} | over
    return Rule(name=name, measure=Measure(measure), **over)


def watch(*rules: Rule, places: Sequence[Path] = (), folders: Sequence[str] = ()) -> Watch:
    return Watch(rules, LOOK_S, places, folders)


class Looker:
    """An alerter with a clock of the test's own; each look comes an interval after the last."""

    def __init__(self, ledger: Ledger, watched: Watch, advance: Callable[[float], None]) -> None:
        self.ledger = ledger
        self.watched = watched
        self.advance = advance
        self.told = 0
        self.alerter = Alerter(ledger, ledger.clock, lambda: self.watched, self._hear)

    def _hear(self) -> None:
        self.told += 1

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.advance(LOOK_S)
            self.alerter.look(self.watched)


def told(ledger: Ledger, kind: Kind | None = None) -> list[Event]:
    """Events of alerts, oldest first."""
    kinds = [kind] if kind else [Kind.ALERT_RAISED, Kind.ALERT_CLEARED]
    return reads.last_events(ledger, kinds=kinds)


def story(ledger: Ledger) -> list[str]:
    """What was raised and cleared, in order: +subject, -subject."""
    return [("+" if one.kind is Kind.ALERT_RAISED else "-") + str(one.data["subject"]) for one in told(ledger)]
