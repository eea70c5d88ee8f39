"""The part of the desk that knows flows: starts named ones, and looks at, cancels and resumes any.

What a method needs of flows is imported when it is called: most commands have to do with none.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from jobdesk.core.durations import seconds
from jobdesk.core.errors import NotFound, WaitTimeout
from jobdesk.core.job import Job
from jobdesk.core.nearest import nearest
from jobdesk.core.who import user
from jobdesk.ledger.database import Tx

if TYPE_CHECKING:
    from jobdesk.core.flow import Flow
    from jobdesk.desk import Desk
    from jobdesk.flow_plan import Plan
    from jobdesk.flows.definition import Definition


class FlowDesk:
    """What `Desk` says of flows; no object of its own."""

    # ── starting ──

    def start_flow(
        self, name: str, data: Mapping[str, Any] | None = None, *, user: str | None = None, source: str | None = None
    ) -> "Flow":
        """Start a flow of the settings: all its jobs are stored, in one transaction, when this returns.

        Args:
            data: what its templates call input.

        Raises:
            NotFound: no flow has this name.
            UsageError: data is missing or unknown, or does not fit a step; the message names flow and step.
        """
        desk = self._desk
        plan = desk.plan_flow(name, data or {}, user=user, source=source)
        with desk.deed("start", target=f"flow {plan.id}").part(undoable=False) as part:
            desk.store_flow(part.tx, plan)
            part.say(after={"flow": name})
        return desk.flow(plan.id)

    def named_flow(self, name: str) -> "Definition | None":
        """A flow as the settings have it; None if none has this name."""
        return next((flow.definition for flow in self._desk.config.flows if flow.name == name), None)

    def flow_definition(self, name: str) -> "Definition":
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
    ) -> "Plan":
        """Check what a flow would be started with and make its jobs; nothing is stored. Raises as `start_flow`."""
        from jobdesk import flow_plan

        return flow_plan.plan(self._desk, self.flow_definition(name), data, user, source)

    def store_flow(self, tx: Tx, plan: "Plan") -> None:
        """Store a planned flow in a transaction that is already open."""
        from jobdesk import flow_plan

        flow_plan.store(self._desk, tx, plan)

    # ── looking ──

    def flows(self, limit: int = 50) -> "list[Flow]":
        """The newest flows, without their jobs; also those that began with a single job."""
        from jobdesk.ledger import flows

        return flows.newest(self._desk.ledger, limit)

    def flow(self, id_: str) -> "Flow":
        """A flow with its jobs and its critical path; `id_` may be shortened to a unique beginning.

        Raises:
            NotFound: there is none.
        """
        from jobdesk.flow_plan import critical_path
        from jobdesk.ledger import flows

        desk = self._desk
        found = flows.flow(desk.ledger, flows.full_id(desk.ledger, id_))
        return replace(found, critical_path=critical_path(found.jobs, desk.clock.now()))

    def wait_flow(self, id_: str, timeout: str | float | None = None) -> "Flow":
        """Block until all jobs of a flow have ended.

        Raises:
            WaitTimeout: `timeout` passed first.
        """
        from jobdesk.ledger import flows

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
        from jobdesk.ledger import flows

        desk = self._desk
        full = flows.full_id(desk.ledger, id_)
        with desk.deed("cancel", target=f"flow {full}").writing() as tx:
            return flows.cancel(tx, full, why or f"its flow was cancelled by {user()}")

    def resume_flow(self, id_: str) -> list[str]:
        """Retry what failed, expired or was cancelled, so that the rest follows; the ids of jobs that run at once.

        Raises:
            Refused: nothing needs to run again.
        """
        from jobdesk.folders.finish import bring_back
        from jobdesk.ledger import flows

        desk = self._desk
        full = flows.full_id(desk.ledger, id_)
        with desk.deed("resume", target=f"flow {full}").writing() as tx:
            retried = flows.resume(tx, full)
            bring_back(tx, retried[0])  # the dropped file belongs to the whole flow
        return retried

    def still_open(self, job: Job, data: Mapping[str, Any]) -> Collection[str]:
        """Keys of a job's data that `data` leaves as templates, whose values are known only when it runs."""
        from jobdesk.ledger import flows

        bound = {str(binding.at[0]) for binding in flows.bindings(self._desk.ledger, job.seq)}
        return {key for key in bound if key in data and data[key] == job.data.get(key)}

    @property
    def _desk(self) -> "Desk":
        return cast("Desk", self)
