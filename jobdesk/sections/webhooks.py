"""`[[webhooks]]`."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, Field

from jobdesk.core.events import Kind
from jobdesk.core.nearest import nearest
from jobdesk.sections.fields import QueryText, Section, repeated

ENDS = ["job_completed", "job_failed", "job_cancelled", "job_expired"]


def _kinds(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        if not any(fnmatchcase(kind, pattern) for kind in Kind):
            raise ValueError(f"no event is named '{pattern}'{nearest(pattern, list(Kind))}")
    return patterns


class WebhookSettings(Section):
    name: str = Field(min_length=1)
    url: str = Field(pattern=r"^https?://[^/\s]")
    events: Annotated[list[str], AfterValidator(_kinds)] = ENDS
    query: QueryText = ""
    secret: str = ""
    queue: str = "default"

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of event that it wants."""
        return frozenset(kind for kind in Kind if any(fnmatchcase(kind, pattern) for pattern in self.events))


def named_once(hooks: list[WebhookSettings]) -> list[WebhookSettings]:
    names = [one.name for one in hooks]
    if (name := repeated(names)) is not None:
        raise ValueError(f"there are {names.count(name)} webhooks named '{name}': give each a name of its own")
    return hooks
