"""Services as a running job calls them: settings with their secrets filled in, and what comes of each call told."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core import env
from jobdesk.core.calling import Called, called, failure_of_status
from jobdesk.core.errors import ConfigError
from jobdesk.core.nearest import nearest
from jobdesk.core.outcome import Reject, ServiceDown
from jobdesk.core.redaction import redact
from jobdesk.core.text import clean
from jobdesk.runtime.messages import Message

KEY = "services."
"""Before the name of a service, in the settings of a job: each is filled in by itself."""
NOT_CONFIGURED = "NotConfigured"


class Calls:
    """The calls of one attempt."""

    def __init__(self, send: Callable[[Message], None], ask: Callable[[Message], Any]) -> None:
        self._send = send
        self._ask = ask
        self._told: set[str] = set()
        """Services that were asked for."""

    def service(self, name: str, settings: Mapping[str, Any]) -> "Calling":
        """A service to call; see `Context.service`."""
        if KEY + name not in settings:
            raise Reject(
                f"service '{name}' is not configured: give [services.{name}] a url in jobdesk.toml"
                f"{nearest(name, [key.removeprefix(KEY) for key in settings if key.startswith(KEY)])}",
                NOT_CONFIGURED,
            )
        try:
            found = configured(name, settings[KEY + name])
        except ConfigError as error:
            raise Reject(f"service '{name}': {error}", NOT_CONFIGURED) from None
        return Calling(found.name, found.url, found.headers, found.timeout, found.signing_secret, found.options, self)

    @contextmanager
    def call(self, service: str) -> Iterator["UnderWay"]:
        self._told.add(service)
        down = self._ask({"ask": service})
        if down:
            raise ServiceDown(service, down)
        under_way = UnderWay(service)
        try:
            yield under_way
        except BaseException as error:
            self.tell(under_way.said or called(service, error))
            raise
        self.tell(under_way.said or Called(service))

    def tell(self, came: Called | None) -> None:
        why = None if came is None or came.failure is None else redact(came.failure)  # it is kept, shown and sent
        self._send({"called": None if came is None else [came.service, why]})

    def judge(self, service: str, error: BaseException | None) -> None:
        """Tell of a service by how the job ended, unless it did so itself."""
        if service not in self._told and (came := called(service, error)) is not None:
            self.tell(came)


@dataclass(frozen=True)
class Configured:
    """A service as the settings have it, with its secrets."""

    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float
    signing_secret: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Calling(Configured):
    """See `jobdesk.core.calling.Service`."""

    _calls: Calls = field(repr=False)

    def call(self) -> Any:
        return self._calls.call(self.name)


class UnderWay:
    """See `jobdesk.core.calling.Call`."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.said: Called | None = None

    def answered(self, status: int) -> None:
        self.said = Called(self._service, failure_of_status(status))

    def failed(self, why: str) -> None:
        self.said = Called(self._service, clean(str(why))[:300] or "it failed")


def configured(name: str, settings: Mapping[str, Any]) -> Configured:
    """A service with its secrets taken from the environment.

    Raises:
        ConfigError: one is not set.
    """
    own = env.put_in(settings)
    headers = dict(own["headers"])
    if own["token"]:
        headers.setdefault("Authorization", f"Bearer {own['token']}")
    return Configured(name, own["url"].rstrip("/"), headers, own["timeout"], own["signing_secret"], own["options"])
