"""What is told to whom: routes from events to targets, the texts of notices, and how several become one message."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from string import Formatter
from typing import Any, Literal

from jobdesk.core.alert import Severity
from jobdesk.core.events import Kind
from jobdesk.core.nearest import nearest
from jobdesk.core.query import Query
from jobdesk.core.rate import Rate
from jobdesk.core.redaction import MASK

NOTICE_QUEUE = "notifications"
"""Where jobs that send notices go unless the settings say otherwise; alerts about this queue are not sent."""
SPELLED = 20
"""Notices of one message that are spelled out; of more only the number is told."""
_LONGEST = 1000
Level = Literal["info", "success", "warning", "error"]
_LEVELS: Sequence[Level] = ("success", "info", "warning", "error")


class Topic(StrEnum):
    """What a route may be about: events, and how flows end."""

    ALERT_RAISED = Kind.ALERT_RAISED.value
    ALERT_CLEARED = Kind.ALERT_CLEARED.value
    FLOW_COMPLETED = "flow_completed"
    FLOW_FAILED = "flow_failed"
    FLOW_CANCELLED = "flow_cancelled"
    JOB_COMPLETED = Kind.JOB_COMPLETED.value
    JOB_FAILED = Kind.JOB_FAILED.value
    JOB_EXPIRED = Kind.JOB_EXPIRED.value
    JOB_CANCELLED = Kind.JOB_CANCELLED.value
    JOB_STALLED = Kind.JOB_STALLED.value
    QUEUE_PAUSED = Kind.QUEUE_PAUSED.value
    QUEUE_RESUMED = Kind.QUEUE_RESUMED.value
    SCHEDULE_MISSED = Kind.SCHEDULE_MISSED.value
    FILE_REJECTED = Kind.FILE_REJECTED.value
    BREAKER_OPENED = Kind.BREAKER_OPENED.value
    BREAKER_CLOSED = Kind.BREAKER_CLOSED.value
    CONSUMER_STARTED = Kind.CONSUMER_STARTED.value
    CONSUMER_STOPPED = Kind.CONSUMER_STOPPED.value


ALERTS = frozenset({Topic.ALERT_RAISED, Topic.ALERT_CLEARED})
FLOWS = frozenset({Topic.FLOW_COMPLETED, Topic.FLOW_FAILED, Topic.FLOW_CANCELLED})
OF_JOBS = frozenset(topic for topic in Topic if topic.value.startswith("job_"))
_LEVEL: Mapping[str, Level] = {
    Topic.ALERT_CLEARED: "success", Topic.FLOW_COMPLETED: "success", Topic.JOB_COMPLETED: "success",
    Topic.BREAKER_CLOSED: "success", Topic.FLOW_FAILED: "error", Topic.JOB_FAILED: "error", Topic.JOB_EXPIRED: "error",
    Topic.BREAKER_OPENED: "error", Topic.JOB_STALLED: "warning", Topic.SCHEDULE_MISSED: "warning",
    Topic.FILE_REJECTED: "warning", Topic.FLOW_CANCELLED: "warning",
}  # fmt: skip

FIELDS = (
    "title", "message", "event", "at", "host", "alert", "rule", "subject", "severity", "value", "threshold", "job",
    "type", "queue", "user", "error", "flow", "flow_name",
)  # fmt: skip
"""What templates may name; a field that an event does not have is empty."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event with what it is about: `values` are by name of `FIELDS`, `seq` is that of its job."""

    topic: Topic
    values: Mapping[str, str]
    seq: int | None = None
    silenced: bool = False

    @property
    def level(self) -> Level:
        if self.topic is Topic.ALERT_RAISED:
            return next((level for level in _LEVELS if level == self.values.get("severity")), "warning")
        return _LEVEL.get(self.topic, "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which events go to which targets, in what words. Names may be patterns."""

    to: Sequence[str]
    events: frozenset[Topic] = ALERTS
    rules: Sequence[str] = ("*",)
    severities: Collection[Severity] = tuple(Severity)
    flows: Sequence[str] = ("*",)
    query: Query | None = None
    """Only jobs that match; only for events of jobs."""
    title: str = "{title}"
    body: str = "{message}"

    def takes(self, one: Happened) -> bool:
        """Whether the event is one of these, its job's query aside."""
        if one.topic not in self.events:
            return False
        if one.topic in ALERTS:
            return _fits(one.values["rule"], self.rules) and one.values["severity"] in self.severities
        return one.topic not in FLOWS or _fits(one.values["flow_name"], self.flows)


@dataclass(frozen=True, slots=True)
class Routing:
    """All routes and targets; how long (seconds) notices gather, how many messages a target gets at most."""

    routes: Sequence[Route]
    targets: Collection[str]
    group_s: float
    rate: Rate
    queue: str = NOTICE_QUEUE


@dataclass(frozen=True, slots=True)
class Told:
    """One notice in its words."""

    title: str
    body: str
    level: Level

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "body": self.body, "level": self.level}


def told(one: Happened, route: Route) -> Told:
    """The notice that a route makes of an event."""
    title, body = (fill(text, one.values)[:_LONGEST] for text in (route.title, route.body))
    return Told(" ".join(title.split()), body, one.level)


def message(notices: Sequence[Told], count: int) -> Told:
    """Some notices as one message; `count` with those that are not spelled out."""
    if count == 1:
        return notices[0]
    lines = [f"{one.title}\n{one.body}".strip() for one in notices]
    if count > len(notices):
        lines.append(f"and {count - len(notices):,} more")
    level = max((one.level for one in notices), key=_LEVELS.index)
    return Told(f"{count:,} notices, the first: {notices[0].title}", "\n\n".join(lines), level)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into a template; a field that has none is empty."""
    return text.format_map(_Empty(values))


class _Empty(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def check_template(text: str) -> str:
    """The template itself.

    Raises:
        ValueError: it names something else than a field.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"'{text}' is no template ({error}): a brace itself is written {{{{") from None
    for _, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise ValueError(f"there is no field '{name}'{nearest(name, FIELDS)}: fields are {', '.join(FIELDS)}")
    return text


_SECRET = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")


def check_target(url: str) -> str:
    """An Apprise URL as it stands in the settings.

    Raises:
        ValueError: it is none; the message does not show it.
    """
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", url) and not _SECRET.fullmatch(url):
        raise ValueError("a target is an Apprise URL such as ntfy://topic, or ${env:NAME} for one")
    if "${" in _SECRET.sub("", url):
        raise ValueError("a secret is written ${env:NAME}, with letters, digits and _ in its name")
    return url


def masked(url: str) -> str:
    """A target as people see it: any part of it may be a secret but its kind."""
    scheme, slashes, _ = url.partition("://")
    return f"{scheme}://{MASK}" if slashes else MASK


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
