"""What a desk does with alerts: the part of `Desk` that has its own subject."""

from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.clock import iso
from jobdesk.core.durations import seconds
from jobdesk.core.errors import NotFound, UsageError
from jobdesk.core.nearest import nearest
from jobdesk.core.who import user

if TYPE_CHECKING:
    from jobdesk.core.alert import Alert, Reading, Rule
    from jobdesk.desk import Desk
    from jobdesk.monitoring.measures import Watch
    from jobdesk.sections import Config

RECENT = 100
"""Cleared alerts that a list of all shows."""


class Alerting:
    """The methods of `Desk` about alerts. Rules are those of the settings; a consumer looks at them."""

    _watched: "tuple[Config, Watch] | None" = None

    def alerts(self, *, all: bool = False) -> "list[Alert]":
        """Alerts that are raised and not over; with `all` also those that are pending, and the latest that are over."""
        from jobdesk.ledger import alerts

        desk = cast("Desk", self)
        now = desk.clock.now()
        found = alerts.open_alerts(desk.ledger, now)
        if not all:
            return [one for one in found if one.raised_at is not None]
        return [*found, *alerts.recent(desk.ledger, now, RECENT)]

    def alert(self, id_: int) -> "Alert":
        """One alert.

        Raises:
            NotFound: there is none.
        """
        from jobdesk.ledger import alerts

        return alerts.get(cast("Desk", self).ledger, id_)

    def acknowledge(self, id_: int) -> bool:
        """Say that somebody knows of an alert. False: somebody did already.

        Raises:
            NotFound: there is none.
            Refused: it is not raised, or is over.
        """
        from jobdesk.ledger import alerts

        with cast("Desk", self).deed("acknowledge", target=f"alert {id_}").part(undoable=False) as part:
            done = alerts.acknowledge(part.tx, id_, user())
            if done:
                part.say(after={"acknowledged": True})
            return done

    def silence(self, rule: str, span: str | float, subject: str = "") -> float:
        """Raise nothing of a rule, or of one subject of it, for a while; until when, epoch seconds.

        Raises:
            NotFound: there is no such rule.
            UsageError: `span` is no duration.
        """
        from jobdesk.ledger import alerts

        self._known(rule)
        try:
            span_s = seconds(span)
        except ValueError as error:
            raise UsageError(str(error)) from None
        with cast("Desk", self).deed("silence", target=f"rule {rule} {subject}".strip()).part(undoable=False) as part:
            until = part.tx.now + span_s
            alerts.silence(part.tx, rule, subject, until, user())
            part.say(after={"until": iso(until)})
            return until

    def unsilence(self, rule: str, subject: str = "") -> bool:
        """End a silence. False: there was none."""
        from jobdesk.ledger import alerts

        with cast("Desk", self).deed("unsilence", target=f"rule {rule} {subject}".strip()).part(undoable=False) as part:
            done = alerts.unsilence(part.tx, rule, subject)
            if done:
                part.say(after={"silenced": False})
            return done

    def alert_rules(self) -> "list[tuple[Rule, list[Reading]]]":
        """Every rule with what it sees now, the worst first."""
        from jobdesk.monitoring.measures import Measurer, worst

        watch = self.alert_watch()
        measurer = Measurer(cast("Desk", self).ledger)
        return [(rule, worst(rule, measurer.read(rule, watch))) for rule in watch.rules]

    def silences(self) -> dict[tuple[str, str], float]:
        """Until when (epoch seconds) each rule and subject is silenced; '' stands for all subjects."""
        from jobdesk.ledger import alerts

        desk = cast("Desk", self)
        return alerts.silences(desk.ledger, desk.clock.now())

    def alert_watch(self) -> "Watch":
        """What there is to look at, as the settings have it now."""
        from jobdesk.monitoring.measures import Watch

        desk = cast("Desk", self)
        desk.settings.renew()
        config = desk.config
        if self._watched is None or self._watched[0] is not config:
            folders = [rule.path for rule in desk.folder_rules()]
            places = [desk.home.path, desk.home.path / config.storage.path, *folders]
            made = Watch(config.alerts.active, config.alerts.look, places, [str(folder) for folder in folders])
            self._watched = config, made
        return self._watched[1]

    def _known(self, rule: str) -> None:
        names: Any = cast("Desk", self).config.alerts.rules
        if rule not in names:
            raise NotFound(f"there is no rule {rule}{nearest(rule, names)}: see `jobdesk alerts rules`")
