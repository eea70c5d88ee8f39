"""The part of the desk that knows flows: starts named ones, and looks at, cancels and resumes any."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.durations import seconds
from jobdesk.core.errors import NotFound, PayloadError, UsageError, WaitTimeout
from jobdesk.core.flow import Flow
from jobdesk.core.job import Job, NewJob
from jobdesk.core.nearest import nearest
from jobdesk.core.submission import Submission
from jobdesk.core.who import user
from jobdesk.flows import order
from jobdesk.flows.definition import Definition, Hook, Step
from jobdesk.flows.templates import begin
from jobdesk.ledger import flows, follow
from jobdesk.ledger.database import Tx

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


class FlowDesk:
    """What `Desk` says of flows; no object of its own."""

    # ── starting ──

    def start_flow(
        self, name: str, data: Mapping[str, Any] | None = None, *, user: str | None = None, source: str | None = None
    ) -> Flow:
        """Start a flow of the settings: all its jobs are stored, in one transaction, when this returns.

        Args:
            data: what its templates call input.

        Raises:
            NotFound: no flow has this name.
            UsageError: data is missing or unknown, or does not fit a step; the message names flow and step.
        """
        desk = self._desk
        plan = desk.plan_flow(name, data or {}, user=user, source=source)
        with desk.ledger.write() as tx:
            desk.store_flow(tx, plan)
        return desk.flow(plan.id)

    def named_flow(self, name: str) -> Definition | None:
        """A flow as the settings have it; None if none has this name."""
        return next((flow.definition for flow in self._desk.config.flows if flow.name == name), None)

    def flow_definition(self, name: str) -> Definition:
        """A flow as the settings have it.

        Raises:
            NotFound: none has this name.
        """
        found = self.named_flow(name)
        if found is None:
            names = [flow.name for flow in self._desk.config.flows]
            hint = nearest(name, names) or (f": there are {', '.join(names)}" if names else ": jobdesk.toml has none")
            raise NotFound(f"no flow of the settings is named '{name}'{hint}")
        return found

    def plan_flow(
        self, name: str, data: Mapping[str, Any], *, user: str | None = None, source: str | None = None
    ) -> Plan:
        """Check what a flow would be started with and make its jobs; nothing is stored. Raises as `start_flow`."""
        definition = self.flow_definition(name)
        given = _input(definition, data)
        jobs: dict[str, NewJob] = {}
        for step in definition.ordered:
            jobs[step.name] = self._planned(definition.name, step, given, user, source, jobs)
        id_ = follow.flow_of(next(iter(jobs.values())).id)
        hook = definition.on_failure
        return Plan(
            id=id_,
            name=name,
            given=given,
            jobs=[replace(job, flow=id_) for job in jobs.values()],
            on_failure=None if hook is None else self._planned_hook(name, hook, given, user, source),
            takes_failed=hook is not None and "failed" in self._desk.registry.get(hook.type).payload.model_fields,
        )

    def store_flow(self, tx: Tx, plan: Plan) -> None:
        """Store a planned flow in a transaction that is already open."""
        flows.begin(tx, plan.id, plan.name, plan.given)
        if plan.on_failure is not None:
            follow.set_on_failure(tx, plan.id, plan.on_failure, plan.takes_failed)
        self._desk.store(tx, plan.jobs)

    def _planned(
        self, flow: str, step: Step, given: Mapping[str, Any], user: str | None, source: str | None,
        earlier: Mapping[str, NewJob],
    ) -> NewJob:  # fmt: skip
        try:
            data, bindings = begin(step.data, {"input": given})
            made = self._desk.prepare(
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
        self, flow: str, hook: Hook, given: Mapping[str, Any], user: str | None, source: str | None
    ) -> NewJob:
        try:
            data, bindings = begin(hook.data, {"input": given})
            late = [binding.to_json() for binding in bindings]
            return self._desk.prepare(
                Submission(type=hook.type, data=data, user=user, source=source, step="on_failure", bindings=late)
            )
        except UsageError as error:
            raise error.__class__(f"flow '{flow}', on_failure: {error}") from None

    # ── looking ──

    def flows(self, limit: int = 50) -> list[Flow]:
        """The newest flows, without their jobs; also those that began with a single job."""
        return flows.newest(self._desk.ledger, limit)

    def flow(self, id_: str) -> Flow:
        """A flow with its jobs and its critical path; `id_` may be shortened to a unique beginning.

        Raises:
            NotFound: there is none.
        """
        desk = self._desk
        found = flows.flow(desk.ledger, flows.full_id(desk.ledger, id_))
        return replace(found, critical_path=_critical_path(found.jobs, desk.clock.now()))

    def wait_flow(self, id_: str, timeout: str | float | None = None) -> Flow:
        """Block until all jobs of a flow have ended.

        Raises:
            WaitTimeout: `timeout` passed first.
        """
        desk = self._desk
        full = flows.full_id(desk.ledger, id_)
        deadline = None if timeout is None else desk.clock.monotonic() + seconds(timeout)
        while True:
            seen = desk.wake.generation
            if not flows.is_open(desk.ledger, full):
                return desk.flow(full)
            remaining = None if deadline is None else deadline - desk.clock.monotonic()
            if remaining is not None and remaining <= 0:
                raise WaitTimeout(f"flow {full} has not ended yet: see `jobdesk flows show {full}`")
            desk.wake.wait(seen, 0.1 if remaining is None else min(0.1, remaining))

    # ── acting ──

    def cancel_flow(self, id_: str, why: str | None = None) -> int:
        """Cancel all of a flow that has not ended; how many jobs. What runs is asked to stop.

        Raises:
            Refused: all of it has ended.
        """
        desk = self._desk
        full = flows.full_id(desk.ledger, id_)
        with desk.ledger.write() as tx:
            return flows.cancel(tx, full, why or f"its flow was cancelled by {user()}")

    def resume_flow(self, id_: str) -> list[str]:
        """Retry what failed, expired or was cancelled, so that the rest follows; the ids of jobs that run at once.

        Raises:
            Refused: nothing needs to run again.
        """
        from jobdesk.folders.finish import bring_back

        desk = self._desk
        full = flows.full_id(desk.ledger, id_)
        with desk.ledger.write() as tx:
            retried = flows.resume(tx, full)
            bring_back(tx, retried[0])  # the dropped file belongs to the whole flow
        return retried

    def still_open(self, job: Job, data: Mapping[str, Any]) -> Collection[str]:
        """Keys of a job's data that `data` leaves as templates, whose values are known only when it runs."""
        bound = {str(binding.at[0]) for binding in flows.bindings(self._desk.ledger, job.seq)}
        return {key for key in bound if key in data and data[key] == job.data.get(key)}

    @property
    def _desk(self) -> "Desk":
        return cast("Desk", self)


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


def _critical_path(jobs: Sequence[Job], now: float) -> list[str]:
    """Ids of the chain of jobs, each behind one before it, that ran longest together."""
    ran = {job.id: job for job in jobs if job.started_at is not None}
    after: dict[str, list[str]] = {}
    for job in ran.values():
        before = [ran[id_] for id_ in (*job.after, job.parent) if id_ in ran]
        after[job.id] = [one.id for one in before if one.finished_at and one.finished_at <= (job.started_at or 0)]
    took = {job.id: (job.finished_at or now) - (job.started_at or now) for job in ran.values()}
    return order.longest(after, took)
