"""`[services.NAME]`, `[providers.NAME]`, and `[breaker]`, what holds for all of them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from jobdesk.core.breaker import Policy
from jobdesk.core.env import ENV_REFERENCE
from jobdesk.sections.fields import Seconds, Section

_SECRET_HEADERS = ("authorization", "cookie", "token", "secret", "key", "password", "credential")


def _secret(text: str) -> str:
    if text and not ENV_REFERENCE.fullmatch(text):
        raise ValueError("a secret is written ${env:NAME}, with its value in the environment")
    return text


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if any(word in name.lower() for word in _SECRET_HEADERS) and not ENV_REFERENCE.search(value):
            raise ValueError(f"header {name} holds a secret: write it ${{env:NAME}}, with its value in the environment")
        if not (name + value).isprintable():
            raise ValueError(f"header {name} has a line end or another control character")
    return headers


def _url(text: str) -> str:
    parts = urlsplit(text)
    if not text.startswith("${env:") and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"'{text}' is not a URL: write it like https://api.example.org/v1")
    if "@" in parts.netloc and "${env:" not in parts.netloc:
        raise ValueError("a URL must not hold a password: give a token or a header instead")
    return text


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise ValueError(f"'{name}' is not a name: use letters, digits, dots, dashes and underscores")
    return name


ServiceName = Annotated[str, AfterValidator(_name)]
Secret = Annotated[str, AfterValidator(_secret)]


class BreakerSettings(Section):
    """`[breaker]`: when calls of a service stop, where the service itself says nothing."""

    failures: int = Field(ge=1)
    window: Seconds = Field(gt=0)
    minimum_calls: int = Field(ge=1)
    failure_rate: float = Field(gt=0, le=1)
    open_for: Seconds = Field(gt=0)
    max_open: Seconds = Field(gt=0)
    half_open_trials: int = Field(ge=1, le=1000)


class OwnBreakerSettings(Section):
    """`breaker` of one service: what differs."""

    failures: int | None = Field(default=None, ge=1)
    window: Seconds | None = Field(default=None, gt=0)
    minimum_calls: int | None = Field(default=None, ge=1)
    failure_rate: float | None = Field(default=None, gt=0, le=1)
    open_for: Seconds | None = Field(default=None, gt=0)
    max_open: Seconds | None = Field(default=None, gt=0)
    half_open_trials: int | None = Field(default=None, ge=1, le=1000)


class _Called(BaseModel):
    """What services and providers have in common."""

    url: Annotated[str, AfterValidator(_url)]
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = {}
    token: Secret = ""
    signing_secret: Secret = ""
    timeout: Seconds = Field(default=30.0, gt=0)
    health: str = ""
    health_every: Seconds = Field(default=60.0, ge=30)
    breaker: OwnBreakerSettings = OwnBreakerSettings()

    @model_validator(mode="after")
    def _health_is_a_place(self) -> "_Called":
        if self.health and not self.health.startswith(("/", "http://", "https://")):
            raise ValueError(f"health is '{self.health}': write a path like /health, or a whole URL")
        if "${env:" in self.health_url:  # nobody but jobs reads secrets
            raise ValueError("health must be a whole URL without ${env:…}, since the url of the service has one")
        return self

    @property
    def health_url(self) -> str:
        """Where to ask whether it is well; empty for nowhere."""
        return self.url.rstrip("/") + self.health if self.health.startswith("/") else self.health

    def for_jobs(self) -> dict[str, Any]:
        """What a running job is given, secrets as they are written."""
        given = {"url", "headers", "token", "signing_secret", "timeout"}
        return self.model_dump(include=given) | {"options": dict(self.model_extra or {})}


class ServiceSettings(_Called):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(_Called):
    """Keys beyond these are the provider's own: a model, an account."""

    model_config = ConfigDict(extra="allow", frozen=True)


def policy(usual: BreakerSettings, own: OwnBreakerSettings | None) -> Policy:
    """The thresholds of a service: its own, else the usual ones."""
    said = usual.model_dump() | ({} if own is None else own.model_dump(exclude_none=True))
    return Policy(
        failures=said["failures"],
        window_s=said["window"],
        minimum_calls=said["minimum_calls"],
        failure_rate=said["failure_rate"],
        open_for_s=said["open_for"],
        max_open_s=said["max_open"],
        trials=said["half_open_trials"],
    )


def named_apart(services: Mapping[str, Any], providers: Mapping[str, Any]) -> None:
    """Refuse one name for both.

    Raises:
        ValueError: a service and a provider have it.
    """
    for name in sorted(services.keys() & providers.keys()):
        raise ValueError(f"'{name}' is a service and a provider: give one of them another name")
