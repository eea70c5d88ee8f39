"""From the drop folders of the settings to the services that watch them, and from a file to its job or flow."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from jobdesk.core import env
from jobdesk.core.submission import Submission
from jobdesk.folders.intake import FolderService
from jobdesk.ledger import follow
from jobdesk.ledger.database import Tx
from jobdesk.sealing import input_of_settings, of_settings

if TYPE_CHECKING:
    from jobdesk.desk import Desk
    from jobdesk.folders.rules import FolderRule


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
        for rule in map(partial(_with_secrets, desk), desk.folder_rules())
    ]


def _with_secrets(desk: "Desk", rule: "FolderRule") -> "FolderRule":
    """The rule with `${env:NAME}` put in where its data goes into a secret; each job has it encrypted."""
    if next(env.names(rule.data), None) is None:
        return rule
    named, find = desk.named_flow(rule.pipeline), desk.registry.processors.get
    if named is None:
        return replace(rule, data=of_settings(find(rule.pipeline), rule.data))
    return replace(rule, data=input_of_settings(named, rule.data, find))


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
