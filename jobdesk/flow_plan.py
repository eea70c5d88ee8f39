"""From a flow of the settings and what it is started with to jobs that are checked and complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobdesk.core.errors import PayloadError, UsageError
from jobdesk.core.job import Job, NewJob
from jobdesk.core.nearest import nearest
from jobdesk.core.submission import Submission
from jobdesk.flows import order
from jobdesk.flows.definition import Definition, Hook, Step
from jobdesk.flows.templates import begin
from jobdesk.ledger import flows, follow
from jobdesk.ledger.database import Tx
from jobdesk.sealing import of_settings, sealed_input

if TYPE_CHECKING:
    from jobdesk.desk import Desk


@dataclass(frozen=True, slots=True)
class Plan:
    """A named flow that is checked and complete, ready to be stored; `jobs` stand in the order they may be stored."""

    id: str
    name: str
    given: Mapping[str, Any]
    jobs: Sequence[NewJob]
    on_failure: NewJob | None
    takes_failed: bool


def plan(desk: "Desk", definition: Definition, data: Mapping[str, Any], user: str | None, source: str | None) -> Plan:
    """Check what a flow would be started with and make its jobs; nothing is stored.

    Raises:
        UsageError: data is missing or unknown, or does not fit a step; the message names flow and step.
    """
    given = _input(definition, data)
    find = desk.registry.processors.get
    given = sealed_input(definition, given, find, lambda: desk.vault)
    jobs: dict[str, NewJob] = {}
    for step in definition.ordered:
        jobs[step.name] = _planned(desk, definition.name, step, given, user, source, jobs)
    id_ = follow.flow_of(next(iter(jobs.values())).id)
    hook = definition.on_failure
    return Plan(
        id=id_,
        name=definition.name,
        given=given,
        jobs=[replace(job, flow=id_) for job in jobs.values()],
        on_failure=None if hook is None else _planned_hook(desk, definition.name, hook, given, user, source),
        takes_failed=hook is not None and desk.registry.get(hook.type).takes_failed,
    )


def store(desk: "Desk", tx: Tx, planned: Plan) -> None:
    """Store a planned flow in a transaction that is already open."""
    flows.begin(tx, planned.id, planned.name, planned.given)
    if planned.on_failure is not None:
        follow.set_on_failure(tx, planned.id, planned.on_failure, planned.takes_failed)
    desk.store(tx, planned.jobs)


def _planned(
    desk: "Desk", flow: str, step: Step, given: Mapping[str, Any], user: str | None, source: str | None,
    earlier: Mapping[str, NewJob],
) -> NewJob:  # fmt: skip
    try:
        own = of_settings(desk.registry.processors.get(step.type), step.data)
        data, bindings = begin(own, {"input": given})
        made = desk.prepare(
            Submission(
                type=step.type,
                data=data,
                queue=step.queue,
                priority=step.priority,
                retries=step.retries,
                retry_delay=step.retry_delay,
                backoff=step.backoff,
                factor=step.factor,
                max_delay=step.max_delay,
                jitter=step.jitter,
                timeout=step.timeout,
                delay=step.delay,
                expires=step.expires,
                concurrency_key=_key(step, given),
                user=user,
                source=source,
                step=step.name,
                optional=step.optional,
                on_parent_failure=step.on_parent_failure,
                bindings=[binding.to_json() for binding in bindings],
            )
        )
    except UsageError as error:
        raise error.__class__(f"flow '{flow}', step '{step.name}': {error}") from None
    return replace(made, after=tuple(earlier[name].id for name in step.after))


def _planned_hook(
    desk: "Desk", flow: str, hook: Hook, given: Mapping[str, Any], user: str | None, source: str | None
) -> NewJob:
    try:
        own = of_settings(desk.registry.processors.get(hook.type), hook.data)
        data, bindings = begin(own, {"input": given})
        late = [binding.to_json() for binding in bindings]
        return desk.prepare(
            Submission(type=hook.type, data=data, user=user, source=source, step="on_failure", bindings=late)
        )
    except UsageError as error:
        raise error.__class__(f"flow '{flow}', on_failure: {error}") from None


def _key(step: Step, given: Mapping[str, Any]) -> str | None:
    made, _ = begin({"concurrency_key": step.concurrency_key}, {"input": given})
    key = made["concurrency_key"]
    return None if key is None else str(key)


def _input(definition: Definition, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a flow is started with, as far as it takes it."""
    takes = definition.inputs
    if takes is None:
        return dict(data)
    for key in data:
        if key not in takes:
            known = ", ".join(sorted(takes)) or "no data"
            raise PayloadError(f"flow '{definition.name}' does not take '{key}'{nearest(key, takes)}; it takes {known}")
    missing = sorted(takes - data.keys())
    if missing:
        raise PayloadError(f"flow '{definition.name}' needs {', '.join(repr(key) for key in missing)}")
    return dict(data)


def critical_path(jobs: Sequence[Job], now: float) -> list[str]:
    """Ids of the chain of jobs, each behind one before it, that ran longest together."""
    ran = {job.id: job for job in jobs if job.started_at is not None}
    after: dict[str, list[str]] = {}
    for job in ran.values():
        before = [ran[id_] for id_ in (*job.after, job.parent) if id_ in ran]
        after[job.id] = [one.id for one in before if one.finished_at and one.finished_at <= (job.started_at or 0)]
    took = {job.id: (job.finished_at or now) - (job.started_at or now) for job in ran.values()}
    return order.longest(after, took)
