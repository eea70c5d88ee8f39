"""`[notify]`, its targets and `[[notify.routes]]`."""

from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from jobdesk.core.alert import Severity
from jobdesk.core.nearest import nearest
from jobdesk.core.notice import ALERTS, OF_JOBS, Route, Topic, check_target, check_template, masked
from jobdesk.core.query import parse
from jobdesk.sections.fields import QueryText, RateLimit, Seconds, Section

Target = Annotated[str, AfterValidator(check_target), PlainSerializer(masked, when_used="json")]
Template = Annotated[str, AfterValidator(check_template)]
Names = Annotated[list[str], Field(min_length=1)]


class RouteSettings(Section):
    """Which events go to which targets; see `core.notice.Route`."""

    to: Names
    events: Annotated[list[Topic], Field(min_length=1)] = sorted(ALERTS)
    rules: Names = ["*"]
    severity: Annotated[list[Severity], Field(min_length=1)] = list(Severity)
    flows: Names = ["*"]
    query: QueryText | None = None
    title: Template = "{title}"
    body: Template = "{message}"

    @model_validator(mode="after")
    def _makes_sense(self) -> "RouteSettings":
        if self.query is not None and not OF_JOBS.issuperset(self.events):
            raise ValueError("a query chooses jobs: give it a route of its own with events such as job_failed")
        return self

    @property
    def route(self) -> Route:
        return Route(
            to=tuple(self.to),
            events=frozenset(self.events),
            rules=tuple(self.rules),
            severities=tuple(self.severity),
            flows=tuple(self.flows),
            query=None if self.query is None else parse(self.query),
            title=self.title,
            body=self.body,
        )


class NotifySettings(Section):
    desktop: bool
    group: Seconds
    rate_limit: RateLimit
    targets: dict[str, Target] = {}
    routes: list[RouteSettings] = []

    @model_validator(mode="after")
    def _targets_exist(self) -> "NotifySettings":
        for route in self.routes:
            for name in route.to:
                if name not in self.targets:
                    raise ValueError(f"there is no target '{name}'{nearest(name, self.targets)} in [notify.targets]")
        return self
