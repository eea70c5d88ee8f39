"""What running jobs get from the desk that they belong to: `runtime.wiring.Wiring` as the engine gives it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobdesk.core import env
from jobdesk.core.alert import NOTICE_TYPE
from jobdesk.core.breaker import Policy
from jobdesk.core.job import Job, NewJob
from jobdesk.core.processor import Processor
from jobdesk.core.submission import Submission
from jobdesk.herald import DELIVERY
from jobdesk.ledger.database import Tx
from jobdesk.prepare import child_of

if TYPE_CHECKING:
    from jobdesk.desk import Desk


class DeskWiring:
    """What the executor may ask of the desk."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        config = desk.config
        storage = desk.home.path / config.storage.path
        rules = config.scanner.rules and str(desk.home.path / config.scanner.rules)
        self._settings = {
            "storage": config.storage.model_dump() | {"path": str(storage)},
            "scanner": config.scanner.model_dump() | {"rules": rules},
            "images": config.images.model_dump(),
            "files": config.files.model_dump(),
            "analytics": config.analytics.model_dump(),
            "reports": config.reports.model_dump(),
            "presets": {name: preset.model_dump() for name, preset in config.presets.items()},
            "quarantine": str(desk.home.quarantine),
            "environment": sorted(set(env.names(config.model_dump()))),
        }
        self._config = config
        self._of_type: dict[str, Mapping[str, Any]] = {}
        self._rules: dict[str, tuple[list[str], list[str]]] = {}

    def find(self, type_: str) -> tuple[Processor, str, str | None] | None:
        registry = self._desk.registry
        if type_ not in registry.processors:
            registry = self._desk.renew_registry()
        if type_ not in registry.processors:
            return None
        source = registry.sources[type_]
        return registry.processors[type_], source.module, source.copy or source.file

    def settings(self, type_: str) -> Mapping[str, Any]:
        self._follow()
        of_type = self._of_type  # another thread may put a new one in its place
        if type_ not in of_type:
            of_type[type_] = self._settings_of(type_)
        return of_type[type_]

    def _follow(self) -> None:
        """Forget what was made of settings that have changed."""
        if self._config is not self._desk.config:
            self._config, self._of_type, self._rules = self._desk.config, {}, {}

    def _settings_of(self, type_: str) -> Mapping[str, Any]:
        own = self._config.types.get(type_)
        services = {f"services.{name}": own.for_jobs() for name, own in self._config.all_services.items()}
        notify: dict[str, Any] = {"desktop": self._config.notify.desktop}
        if type_ == NOTICE_TYPE:  # addresses may hold secrets: they are nobody else's business
            notify["targets"] = dict(self._config.notify.targets)
        more = {
            "notify": notify,
            "email": self._config.email.model_dump(),
            "payments": self._config.payments.model_dump(),
            "fetching": self._config.fetching.model_dump(),
            "cleanup": self._config.cleanup.model_dump(),
            "backup": self._config.backup.model_dump(),
            "referrals": self._config.referrals.model_dump(mode="json"),
        }
        made = self._settings | more | {"type": (own.model_extra or {}) if own else {}, **services}
        if type_ == DELIVERY:
            made |= {f"webhooks.{one.name}": {"url": one.url, "secret": one.secret} for one in self._config.webhooks}
        return made

    def policy(self, service: str) -> Policy:
        return self._desk.policy(service)

    def needs(self) -> Mapping[str, str]:
        """By job type, the service that all its jobs need."""
        return self._desk.needs()

    def retry_rules(self, type_: str) -> tuple[list[str], list[str]]:
        self._follow()
        rules = self._rules
        if type_ not in rules:
            own = self._config.types.get(type_)
            rules[type_] = (list(own.permanent), list(own.retry_on)) if own else ([], [])
        return rules[type_]

    def memory_limit(self, type_: str) -> int:
        self._follow()
        own, most = self._config.types.get(type_), self._config.desk.memory_limit
        if own is not None and own.memory_limit is not None:
            return own.memory_limit
        processor = self._desk.registry.processors.get(type_)
        return min(most, processor.memory_bytes or most) if processor is not None else most

    def prepare_child(self, parent: Job, wanted: Mapping[str, Any]) -> NewJob:
        return self._desk.prepare(child_of(parent, Submission(**wanted)))

    def store(self, tx: Tx, jobs: Sequence[NewJob]) -> list[str]:
        return self._desk.store(tx, jobs)
