"""A named flow as the settings describe it, and whether the description makes sense."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jobdesk.core.nearest import nearest
from jobdesk.core.retry import Backoff
from jobdesk.flows import order
from jobdesk.flows.templates import Ref, references

NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One job of a flow; None means as its type, its queue and the defaults have it. Durations in seconds."""

    name: str
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    after: Sequence[str] = ()
    queue: str | None = None
    priority: int | None = None
    retries: int | None = None
    retry_delay: float | None = None
    backoff: Backoff | None = None
    factor: float | None = None
    max_delay: float | None = None
    jitter: float | None = None
    timeout: float | None = None
    delay: float | None = None
    """From the start of the flow on: it waits for that beside those it comes after."""
    expires: float | None = None
    concurrency_key: str | None = None
    """May hold templates of the flow's input."""
    on_parent_failure: Literal["cancel", "ignore"] = "cancel"
    optional: bool = False

    @property
    def references(self) -> Iterator[Ref]:
        """What its templates name.

        Raises:
            ValueError: one is wrong.
        """
        yield from references(self.data)
        yield from references(self.concurrency_key, "concurrency_key")


@dataclass(frozen=True, slots=True)
class Hook:
    """The job that runs, once, when one of the flow fails."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """A named flow."""

    name: str
    steps: Sequence[Step]
    description: str = ""
    on_failure: Hook | None = None

    @property
    def after(self) -> dict[str, Sequence[str]]:
        """For each step those it comes after."""
        return {step.name: step.after for step in self.steps}

    @property
    def ordered(self) -> list[Step]:
        """The steps, each behind those it comes after."""
        by_name = {step.name: step for step in self.steps}
        return [by_name[name] for name in order.ordered(self.after)]

    @property
    def inputs(self) -> frozenset[str] | None:
        """The keys it takes when it is started, which are those its templates name; None if it takes any."""
        named = [ref for ref in self._references() if ref[0] == "input"]
        return None if any(len(ref) == 1 for ref in named) else frozenset(ref[1] for ref in named)

    def _references(self) -> Iterator[Ref]:
        for step in self.steps:
            yield from step.references
        if self.on_failure is not None:
            yield from references(self.on_failure.data)

    def check(self) -> None:
        """See whether it can ever run.

        Raises:
            ValueError: it cannot; the message names flow and step.
        """
        if not NAME.fullmatch(self.name):
            raise ValueError(f"the name of flow '{self.name}' may only have letters, digits, - and _")
        if not self.steps:
            raise ValueError(f"flow '{self.name}' has no steps: add at least one [[flows.steps]]")
        names: list[str] = []
        for step in self.steps:
            if not NAME.fullmatch(step.name):
                raise ValueError(f"{self._of(step)}: the name of a step may only have letters, digits, - and _")
            if step.name in names:
                raise ValueError(f"flow '{self.name}' has two steps named '{step.name}': give one another name")
            names.append(step.name)
        for step in self.steps:
            for before in step.after:
                if before not in names:
                    raise ValueError(
                        f"{self._of(step)} comes after '{before}', which is no step of the flow{nearest(before, names)}"
                    )
        found = order.cycle(self.after)
        if found:
            raise ValueError(f"flow '{self.name}' goes round in a circle and could never begin: {' -> '.join(found)}")
        for step in self.steps:
            self._check_templates(step, names)
        if self.on_failure is not None:
            self._check_hook(self.on_failure)

    def _check_templates(self, step: Step, names: Sequence[str]) -> None:
        before = order.ancestors(self.after, step.name)
        try:
            if any(ref[0] != "input" for ref in references(step.concurrency_key, "concurrency_key")):
                raise ValueError("concurrency_key must be known when the flow starts: use {input…} only")
            for ref in references(step.data):
                if ref[0] == "failed":
                    raise ValueError("{failed…} is known to the flow's on_failure only")
                if ref[0] != "steps":
                    continue
                if ref[1] not in names:
                    raise ValueError(f"'{ref[1]}' is no step of the flow{nearest(ref[1], names)}")
                if ref[1] not in before:
                    raise ValueError(
                        f"it uses what step '{ref[1]}' gives and does not come after it: add it to `after`"
                    )
        except ValueError as error:
            raise ValueError(f"{self._of(step)}: {error}") from None

    def _check_hook(self, hook: Hook) -> None:
        try:
            if any(ref[0] == "steps" for ref in references(hook.data)):
                raise ValueError("steps may not have run when it does: use {input…} and {failed…}")
        except ValueError as error:
            raise ValueError(f"flow '{self.name}', on_failure: {error}") from None

    def _of(self, step: Step) -> str:
        return f"flow '{self.name}', step '{step.name}'"
