"""From the drop folders of the settings to the services that watch them, and from a file to its job or flow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobdesk.core.submission import Submission
from jobdesk.folders.intake import FolderService
from jobdesk.ledger import follow
from jobdesk.ledger.database import Tx

if TYPE_CHECKING:
    from jobdesk.desk import Desk


def services(desk: "Desk", consumer: str) -> list[FolderService]:
    """A service for each drop folder, not yet started."""

    def submit(tx: Tx, *, type: str, data: Mapping[str, Any], source: str) -> tuple[str, str | None]:
        return _submit_file(desk, tx, type=type, data=data, source=source)

    return [
        FolderService(
            desk.ledger,
            desk.clock,
            rule,
            submit,
            quarantine=desk.home.quarantine,
            accepts=_accepts(desk, rule.pipeline),
            consumer=consumer,
        )
        for rule in desk.folder_rules()
    ]


def _accepts(desk: "Desk", type_: str) -> frozenset[str] | None:
    named = desk.named_flow(type_)
    if named is not None:
        return named.inputs
    known = desk.registry.processors.get(type_)
    return None if known is None else frozenset(known.payload.model_fields)


def _submit_file(desk: "Desk", tx: Tx, *, type: str, data: Mapping[str, Any], source: str) -> tuple[str, str | None]:
    """Store the job of a dropped file in the transaction that records the file; a flow begins with it."""
    if desk.named_flow(type) is not None:
        plan = desk.plan_flow(type, data, source=source)
        desk.store_flow(tx, plan)
        return plan.jobs[0].id, plan.id
    job = desk.prepare(Submission(type=type, data=data, source=source))
    job = replace(job, flow=follow.flow_of(job.id))
    (id_,) = desk.store(tx, [job])
    return id_, job.flow
