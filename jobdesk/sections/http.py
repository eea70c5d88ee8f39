"""`[http]`."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, Field

from jobdesk.core.errors import UsageError
from jobdesk.sections.fields import Bytes, RateLimit, Section
from jobdesk.sections.services import Secret


def _origins(origins: list[str]) -> list[str]:
    for one in origins:
        scheme, _, host = one.partition("://")
        if scheme not in ("http", "https") or not host or "/" in host or "*" in host:
            raise ValueError(f"'{one}' is not an origin: write it like https://desk.example.org")
    return origins


class HttpSettings(Section):
    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65535)
    token: Secret
    rate_limit: RateLimit
    max_body: Bytes = Field(ge=1_000)
    streams: int = Field(ge=1, le=10_000)
    priorities: int = Field(ge=2, le=100)
    types: list[str]
    hosts: list[str]
    origins: Annotated[list[str], AfterValidator(_origins)]
    proxies: list[str]

    def priority(self, given: int | str | None) -> int | str | None:
        """A priority as a client wrote it, in ours.

        Raises:
            UsageError: the number is above the highest.
        """
        if not isinstance(given, int):
            return given
        if given > self.priorities:
            raise UsageError(f"priority {given} is above the highest, {self.priorities}: see priorities of [http]")
        return given * 100 // self.priorities

    def may_submit(self, type_: str) -> bool:
        """Whether jobs of the type are taken over HTTP."""
        return any(fnmatchcase(type_, pattern) for pattern in self.types)
