"""What a caller may ask for when submitting a job; None means: as processor, settings and queue have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from jobdesk.core.retry import Backoff


class Options(TypedDict, total=False):
    """What a caller may say of a job beside its type and data: the part of `Submission` that is not the desk's own."""

    queue: str | None
    priority: str | int | None
    delay: str | float | None
    run_at: float | None
    after: Sequence[str]
    unique: str | None
    unique_for: str | float | None
    unique_states: Sequence[str]
    concurrency_key: str | None
    retries: int | None
    retry_delay: str | float | None
    backoff: Backoff | None
    factor: float | None
    max_delay: str | float | None
    jitter: float | None
    timeout: str | float | None
    expires: str | float | None
    step: str | None
    optional: bool
    on_parent_failure: Literal["cancel", "ignore"]
    label: str | None
    hold: bool
    immediate: bool


@dataclass(slots=True, kw_only=True)  # not frozen: to make one, of a batch of many, takes a third of the time
class Submission:
    """One wanted job; read only. Durations: text ("5s") or seconds; `run_at` is epoch seconds and excludes `delay`."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    name: str | None = None
    """What later jobs of the same batch call it in their `after`; not stored."""
    queue: str | None = None
    priority: str | int | None = None
    delay: str | float | None = None
    run_at: float | None = None
    after: Sequence[str] = ()
    unique: str | None = None
    """No second job with this key is stored while one is in flight; the answer is that one."""
    unique_for: str | float | None = None
    """Those that ended within this span count too."""
    unique_states: Sequence[str] = ()
    """Which states count instead."""
    concurrency_key: str | None = None
    retries: int | None = None
    retry_delay: str | float | None = None
    backoff: Backoff | None = None
    factor: float | None = None
    max_delay: str | float | None = None
    jitter: float | None = None
    timeout: str | float | None = None
    expires: str | float | None = None
    user: str | None = None
    source: str | None = None
    flow: str | None = None
    step: str | None = None
    parent: str | None = None
    optional: bool = False
    on_parent_failure: Literal["cancel", "ignore"] = "cancel"
    label: str | None = None
    """A word or line of the submitter's own, to find it by."""
    hold: bool = False
    """It waits until somebody releases it."""
    immediate: bool = False
    """It goes before all others, urgent ones too; of several such ones the last."""
    bindings: Sequence[Mapping[str, Any]] = ()
    from_settings: bool = False
    """Its data stands in the settings: `${env:NAME}` in a secret is put in."""
