"""What a desk knows of the services that jobs call, and does with their breakers: the part of `Desk` about them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobdesk.core.breaker import BreakerState, Policy
from jobdesk.core.calling import MAIL
from jobdesk.core.errors import ConfigError, NotFound, UsageError
from jobdesk.core.job import Job
from jobdesk.core.who import user
from jobdesk.ledger.database import Ledger, Tx

if TYPE_CHECKING:
    from jobdesk.ledger.audit import Deed
    from jobdesk.ledger.breakers import Breaker
    from jobdesk.ledger.probes import Probe
    from jobdesk.plugins import Registry
    from jobdesk.runtime.keeper import Target
    from jobdesk.sections import Config


@dataclass(frozen=True)
class ServiceState:
    """A service as the settings have it, and how it does. Instants are epoch seconds."""

    name: str
    kind: str
    """service, provider, or unknown if no setting names it."""
    url: str | None
    policy: Policy
    breaker: "Breaker | None"
    """None: it never failed."""
    calls: int
    failures: int
    """Of the window, while the breaker is closed."""
    waiting: int
    """Jobs put off until it works; those that were not claimed are pending."""
    types: Collection[str]
    """Job types that need it."""
    probe: "Probe | None"

    @property
    def state(self) -> BreakerState:
        return BreakerState.CLOSED if self.breaker is None else self.breaker.state

    @property
    def says(self) -> str:
        """The state of its breaker in words."""
        if self.state is BreakerState.HALF_OPEN:
            return "half open: it was down, and the next job that needs it tries it"
        return self.state.value


def section(name: str) -> str:
    """Where in the settings a service is configured, and with what."""
    return "[email] with a host" if name == MAIL else f"[services.{name}] with a url"


class Servicing:
    """The methods of `Desk` about services. Their names are those of `[services]` and `[providers]`."""

    ledger: Ledger

    if TYPE_CHECKING:

        @property
        def config(self) -> Config: ...

        @property
        def registry(self) -> Registry: ...

        def deed(self, action: str, *, target: str | None = None, query: str | None = None) -> Deed: ...

    def services(self) -> list[ServiceState]:
        """Every service of the settings, of a processor, or that ever failed; by name."""
        from jobdesk.ledger import breakers

        known = {*self.config.all_services, *self.needs().values()} - ({MAIL} if not self.config.email.host else set())
        known |= {one.service for one in breakers.every(self.ledger, self.ledger.clock.now())}
        return [self._service(name) for name in sorted(known)]

    def service(self, name: str) -> ServiceState:
        """One service.

        Raises:
            NotFound: nothing knows it.
        """
        self._must_know(name)
        return self._service(name)

    def open_service(self, name: str, why: str | None = None) -> bool:
        """Let no job call a service until `close_service`. False: it was held already.

        Raises:
            NotFound: nothing knows it.
        """
        from jobdesk.ledger import breakers

        self._must_know(name)
        return self._told("open", name, lambda tx: breakers.open_(tx, name, why or f"opened by {user()}"))

    def close_service(self, name: str) -> bool:
        """Let jobs call a service again, at once. False: it was closed already.

        Raises:
            NotFound: nothing knows it.
        """
        from jobdesk.ledger import breakers

        self._must_know(name)
        return self._told("close", name, lambda tx: breakers.close(tx, name, f"closed by {user()}"))

    def test_service(self, name: str) -> tuple[bool, str]:
        """Call a service now, at its health URL if it has one: whether it answers, and what. The breaker stays.

        Raises:
            NotFound: the settings do not name it.
            ConfigError: a secret of it is not set here.
            UsageError: it is the mail server, which is asked otherwise.
        """
        from jobdesk.core.outcome import Reject
        from jobdesk.runtime.calling import configured
        from jobdesk.runtime.probing import probe

        own = self.config.all_services.get(name)
        if own is None:
            self._must_know(name)
            raise NotFound(f"service {name} is not configured: write {section(name)} into jobdesk.toml")
        try:
            found = configured(name, own.for_jobs())
        except Reject as error:
            raise ConfigError(str(error)) from None
        if found.url.startswith("smtp:"):
            raise UsageError(f"service {name} is the mail server: test it with `jobdesk mail test`")
        url = found.url + own.health if own.health.startswith("/") else own.health or found.url
        return probe(url, own.timeout, found.headers)

    def policy(self, service: str) -> Policy:
        """When the breaker of a service opens, as the settings say."""
        from jobdesk.sections.services import policy

        own = self.config.all_services.get(service)
        return policy(self.config.breaker, None if own is None else own.breaker)

    def needs(self) -> Mapping[str, str]:
        """By job type, the service that all its jobs need."""
        found = {type_: one.service for type_, one in self.registry.processors.items() if one.service}
        return {type_: service for type_, service in found.items() if not service.startswith("{")}

    def needed_by(self, job: Job) -> str | None:
        """The service that a job needs by its type; None if it needs none."""
        found = self.registry.processors.get(job.type)
        return None if found is None else found.service_of(job.data)

    def shut_types(self, due_before: float) -> Collection[str]:
        """Job types of which none starts before then, epoch seconds, since their service is down."""
        from jobdesk.ledger import breakers

        down = breakers.down_until(self.ledger, due_before)
        return [type_ for type_, service in self.needs().items() if service in down] if down else []

    def probes(self) -> "Mapping[str, Target]":
        """Every service, with the health URL that is to be asked if it has one."""
        from jobdesk.runtime.keeper import Target

        return {
            name: Target(own.health_url or own.url, own.timeout, own.health_every if own.health_url else None)
            for name, own in self.config.all_services.items()
        }

    def _told(self, action: str, name: str, change: Callable[[Tx], bool]) -> bool:
        """Log it if it changes something; it is taken back by the other of the two, for jobs go on at once."""
        from jobdesk.ledger import breakers

        with self.deed(action, target=f"service {name}").part(undoable=False) as part:
            before = _breaker(breakers.find(part.tx, name, part.tx.now))
            changed = change(part.tx)
            if changed:
                part.say(before=before, after=_breaker(breakers.find(part.tx, name, part.tx.now)))
        return changed

    def _must_know(self, name: str) -> None:
        from jobdesk.core.nearest import nearest

        known = [one.name for one in self.services()]
        if name not in known:
            raise NotFound(f"there is no service {name}{nearest(name, known)}: write {section(name)} into jobdesk.toml")

    def _service(self, name: str) -> ServiceState:
        from jobdesk.ledger import breakers, probes, waiting

        now = self.ledger.clock.now()
        config = self.config
        own = config.all_services.get(name)
        policy = self.policy(name)
        calls, failures = breakers.lately(self.ledger, name, policy, now)
        return ServiceState(
            name=name,
            kind="service" if name in config.services else "provider" if name in config.providers else "unknown",
            url=None if own is None else own.url,
            policy=policy,
            breaker=breakers.find(self.ledger, name, now),
            calls=calls,
            failures=failures,
            waiting=waiting.waiting(self.ledger, name),
            types=sorted(type_ for type_, service in self.needs().items() if service == name),
            probe=next((one for one in probes.every(self.ledger) if one.service == name), None),
        )


def _breaker(found: "Breaker | None") -> Mapping[str, str]:
    return {"breaker": "closed"} if found is None else {"breaker": found.state.value, "reason": found.reason}
