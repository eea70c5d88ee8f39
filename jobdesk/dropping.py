"""From the rules of drop folders to the service that keeps them, and from files to their jobs or flows."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobdesk.core import env
from jobdesk.core.errors import JobdeskError
from jobdesk.core.submission import Submission
from jobdesk.folders.folder import DropFolder
from jobdesk.folders.keeper import Keeper
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import follow
from jobdesk.ledger.database import Tx
from jobdesk.sealing import input_of_settings, of_settings

if TYPE_CHECKING:
    from jobdesk.desk import Desk


def keeper(desk: "Desk", consumer: str) -> Keeper:
    """The service of all drop folders, not yet started.

    Raises:
        ConfigError: a variable that a folder's data takes is not set.
    """

    def submit(
        tx: Tx, *, type: str, payloads: Sequence[Mapping[str, Any]], source: str
    ) -> Sequence[tuple[str, str] | JobdeskError]:
        return _submit(desk, tx, type, payloads, source)

    def make(rule: FolderRule, wake: Callable[[], None], kept_by: Keeper) -> DropFolder:
        corner = hashlib.blake2s(str(rule.path).encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()
        return DropFolder(
            desk.ledger,
            desk.clock,
            rule,
            submit,
            wake=wake,
            quarantine=desk.home.quarantine,
            corner=desk.home.path / "kept" / corner,
            accepts=lambda: _accepts(desk, rule.pipeline),
            consumer=consumer,
            ear=kept_by.ear,
            changes=kept_by.changes,
        )

    def rules() -> Mapping[str, FolderRule]:
        return {str(rule.path): _with_secrets(desk, rule) for rule in desk.folder_rules()}

    rules()  # said at the start, not by a folder that nobody watches
    return Keeper(desk.ledger, desk.clock, rules, make, lambda: desk.config)


def _with_secrets(desk: "Desk", rule: FolderRule) -> FolderRule:
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


def _said(desk: "Desk", type_: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data without what says nothing, where the type's own default holds."""
    fields = desk.registry.get(type_).payload.model_fields
    default = {key for key, field in fields.items() if not field.is_required()}
    return {key: value for key, value in data.items() if value is not None or key not in default}


def _submit(
    desk: "Desk", tx: Tx, type_: str, payloads: Sequence[Mapping[str, Any]], source: str
) -> Sequence[tuple[str, str] | JobdeskError]:
    """Store the jobs of dropped files in the transaction that records the files; a flow begins with each."""
    found: list[tuple[str, str] | JobdeskError] = []
    jobs = []
    is_flow = desk.named_flow(type_) is not None
    for data in payloads:
        try:
            if is_flow:
                plan = desk.plan_flow(type_, data, source=source)
                with tx.nested():
                    desk.store_flow(tx, plan)
                found.append((plan.jobs[0].id, plan.id))
            else:
                job = desk.prepare(Submission(type=type_, data=_said(desk, type_, data), source=source))
                jobs.append(job)
                found.append((job.id, follow.flow_of(job.id)))
        except JobdeskError as error:
            found.append(error)
    if jobs:
        desk.store(tx, jobs)
    return found
