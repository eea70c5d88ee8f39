"""`[alerts]` and its rules, `[alerts.rules.NAME]`."""

from pydantic import Field, model_validator

from jobdesk.core.alert import ABOUT, Measure, Rule, Severity, level
from jobdesk.sections.fields import QueryText, Seconds, Section

LONGEST_WINDOW_S = 7 * 86400
"""Minutes are remembered for so long."""


class RuleSettings(Section):
    """When something is an alert; see `core.alert.Rule`."""

    enabled: bool = True
    measure: Measure | None = None
    query: QueryText | None = None
    above: str | float | None = None
    below: str | float | None = None
    window: Seconds | None = Field(default=None, gt=0, le=LONGEST_WINDOW_S)
    minimum: int | None = Field(default=None, ge=0)
    for_: Seconds = Field(default=0.0, alias="for")
    cooldown: Seconds = 300.0
    severity: Severity = Severity.WARNING
    queues: list[str] = Field(default=["*"], min_length=1)

    @model_validator(mode="after")
    def _makes_sense(self) -> "RuleSettings":
        if (self.query is not None) != (self.measure in (None, Measure.QUERY)):
            raise ValueError("a rule takes either a measure or a query: give one of the two")
        if (self.above is None) == (self.below is None):
            raise ValueError("a rule takes either above or below: give one of the two")
        about = ABOUT[self.measure or Measure.QUERY]
        level(self._limit, about.unit)
        for key, given, fits in (
            ("window", self.window, about.window_s is not None),
            ("minimum", self.minimum, about.sampled),
            ("queues", None if self.queues == ["*"] else self.queues, about.by_queue),
        ):
            if given is not None and not fits:
                raise ValueError(f"'{key}' means nothing to {self.measure or 'a query'}: take it out")
        return self

    @property
    def _limit(self) -> str | float:
        limit = self.below if self.above is None else self.above
        assert limit is not None
        return limit

    def rule(self, name: str) -> Rule:
        measure = self.measure or Measure.QUERY
        about = ABOUT[measure]
        limit = level(self._limit, about.unit)
        return Rule(
            name=name,
            measure=measure,
            query=self.query,
            above=None if self.above is None else limit,
            below=None if self.below is None else limit,
            window_s=about.window_s or 0.0 if self.window is None else self.window,
            minimum=self.minimum or 0,
            for_s=self.for_,
            cooldown_s=self.cooldown,
            severity=self.severity,
            queues=tuple(self.queues),
        )


class AlertSettings(Section):
    enabled: bool
    look: Seconds = Field(ge=1)
    rules: dict[str, RuleSettings]

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that hold, by name."""
        if not self.enabled:
            return ()
        return tuple(own.rule(name) for name, own in sorted(self.rules.items()) if own.enabled)
