"""From what a caller asked for to a job that is complete: submission, then its type's settings, processor, defaults."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from jobdesk.core.dead_letters import queue_of
from jobdesk.core.durations import LONGEST_S, seconds
from jobdesk.core.errors import PayloadError
from jobdesk.core.job import Job, NewJob, State
from jobdesk.core.job import priority as read_priority
from jobdesk.core.names import queue_name
from jobdesk.core.nearest import nearest
from jobdesk.core.processor import Processor
from jobdesk.core.redaction import redact
from jobdesk.core.retry import Backoff, RetryPolicy
from jobdesk.core.submission import Submission
from jobdesk.core.text import clean
from jobdesk.ledger.follow import flow_of
from jobdesk.sealing import Seal, of_settings
from jobdesk.sections import Config
from jobdesk.vault import Vault

LABEL_CHARACTERS = 200
MOST_RETRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Usual:
    """What a job gets where its submission says nothing."""

    queue: str
    priority: int
    retries: int
    timeout_s: float
    retry: RetryPolicy
    cap_s: float | None
    """Of the wait for a retry, where one is said."""
    ttl_s: float | None


class Completer:
    """Makes jobs of submissions under one set of settings; what is usual for a type is worked out once."""

    def __init__(self, config: Config, vault: Callable[[], Vault], home: Path) -> None:
        self.config = config
        self._home = home
        self._vault = vault
        self._usual: dict[tuple[str, str | None], tuple[Processor, _Usual]] = {}

    def complete(self, wanted: Submission, processor: Processor, id_: str, user: str, now: float) -> NewJob:
        """Check a submission and fill in what it leaves open.

        Raises:
            PayloadError: its data does not fit the processor, or an option cannot be read.
        """
        given = of_settings(processor, wanted.data) if wanted.from_settings else wanted.data
        seal = Seal(self._vault)
        later = {str(binding["at"][0]) for binding in wanted.bindings} if wanted.bindings else ()
        data = processor.checked(given, later, seal, self._home)
        try:
            return self._complete(wanted, processor, data, id_, user, now, seal)
        except ValueError as error:
            raise PayloadError(f"{wanted.type}: {error}") from None

    def _complete(
        self, wanted: Submission, processor: Processor, data: str, id_: str, user: str, now: float, seal: Seal
    ) -> NewJob:
        if processor.queues and wanted.queue is None and (wanted.priority is not None or wanted.immediate):
            wanted = replace(wanted, queue=self._by_priority(wanted, processor))
        usual = self._of(wanted, processor)
        retries = usual.retries if wanted.retries is None else _whole(wanted.retries)
        timeout_s = usual.timeout_s if wanted.timeout is None else seconds(wanted.timeout)
        if timeout_s <= 0:
            raise ValueError("the timeout must be longer than 0")
        if wanted.on_parent_failure not in ("cancel", "ignore"):
            raise ValueError(f"'{wanted.on_parent_failure}' does not fit on_parent_failure: it takes cancel or ignore")
        if wanted.immediate and wanted.priority is not None:
            raise ValueError("immediate goes before any priority: give one of them")
        rank = "urgent" if wanted.immediate else wanted.priority
        if rank is None and processor.priority_key is not None:
            rank = json.loads(data).get(processor.priority_key)
        run_at = _start(wanted, now)
        ttl_s = usual.ttl_s if wanted.expires is None else seconds(wanted.expires)
        return NewJob(
            id=id_,
            type=wanted.type,
            queue=usual.queue,
            data=data,
            priority=usual.priority if rank is None else read_priority(rank),
            run_at=run_at,
            max_attempts=retries + 1,
            timeout_s=timeout_s,
            retry=self._retry(wanted, usual),
            expires_at=None if ttl_s is None else (now if run_at is None else run_at) + ttl_s,
            unique=_key(seal, "unique", wanted.unique),
            concurrency_key=_key(seal, "concurrency_key", wanted.concurrency_key),
            unique_for_s=None if wanted.unique_for is None else seconds(wanted.unique_for),
            unique_states=_states(wanted),
            after=(wanted.after,) if isinstance(wanted.after, str) else tuple(wanted.after),
            user=clean(wanted.user) if wanted.user else user,
            source=wanted.source,
            flow=wanted.flow,
            step=wanted.step,
            parent=wanted.parent,
            optional=wanted.optional,
            on_parent_failure=wanted.on_parent_failure,
            label=_label(wanted.label),
            hold=wanted.hold,
            immediate=wanted.immediate,
            bindings=wanted.bindings,
        )

    def _by_priority(self, wanted: Submission, processor: Processor) -> str | None:
        own = self.config.types.get(wanted.type)
        if own is not None and own.queue is not None:
            return None
        return processor.queue_for(100 if wanted.priority is None else read_priority(wanted.priority))

    def _retry(self, wanted: Submission, usual: _Usual) -> RetryPolicy:
        said = (wanted.retry_delay, wanted.backoff, wanted.factor, wanted.jitter, wanted.max_delay)
        if said == (None,) * 5:
            return usual.retry
        return _policy(
            usual.retry.delay_s if wanted.retry_delay is None else seconds(wanted.retry_delay),
            usual.retry.backoff if wanted.backoff is None else wanted.backoff,
            usual.retry.factor if wanted.factor is None else wanted.factor,
            usual.retry.jitter if wanted.jitter is None else wanted.jitter,
            usual.cap_s if wanted.max_delay is None else seconds(wanted.max_delay),
            self.config.defaults.max_delay,
        )

    def _of(self, wanted: Submission, processor: Processor) -> _Usual:
        known = self._usual.get((wanted.type, wanted.queue))
        if known is None or known[0] is not processor:
            known = processor, self._work_out(wanted.type, wanted.queue, processor)
            self._usual[wanted.type, wanted.queue] = known
        return known[1]

    def _work_out(self, type_: str, queue: str | None, processor: Processor) -> _Usual:
        """The settings of the type, else its processor, its queue, the defaults."""
        own, defaults = self.config.types.get(type_), self.config.defaults
        queue = (own and own.queue) or processor.queue if queue is None else queue_name(queue)
        if queue_of(queue) is not None:
            raise ValueError(f"'{queue}' is the name of dead letters, not of a queue: jobs come there when they fail")
        of_queue = self.config.queues.get(queue)
        delay_s = _first(
            own and own.retry_delay, processor.retry_delay_s, of_queue and of_queue.retry_delay, defaults.retry_delay
        )
        cap_s = _first(own and own.max_delay, of_queue and of_queue.max_delay)
        rank = _first(own and own.priority, processor.priority, of_queue and of_queue.priority, 50)
        return _Usual(
            queue=queue,
            priority=read_priority(rank),
            retries=_first(own and own.retries, processor.retries, of_queue and of_queue.retries, defaults.retries),
            timeout_s=_first(own and own.timeout, processor.timeout_s, defaults.timeout),
            retry=_policy(
                delay_s,
                _first(own and own.backoff, processor.backoff, of_queue and of_queue.backoff, defaults.backoff),
                _first(own and own.factor, of_queue and of_queue.factor, defaults.factor),
                _first(own and own.jitter, of_queue and of_queue.jitter, defaults.jitter),
                cap_s,
                defaults.max_delay,
            ),
            cap_s=cap_s,
            ttl_s=None if of_queue is None else of_queue.ttl,
        )


def child_of(job: Job, wanted: Submission) -> Submission:
    """A submission made by a running job: it belongs to its flow (which starts with it) and to its user."""
    return replace(wanted, parent=job.id, flow=job.flow or flow_of(job.id), user=job.user, source=job.source)


def _policy(
    delay_s: float, backoff: str, factor: float, jitter: float, cap_s: float | None, least_cap_s: float
) -> RetryPolicy:
    """How to retry; without a cap of its own, a first wait longer than the usual cap lifts it."""
    if backoff not in get_args(Backoff):
        raise ValueError(f"'{backoff}' is not a backoff: use {', '.join(get_args(Backoff))}")
    if not 1 <= factor < math.inf:
        raise ValueError(f"factor is {factor}: it must be a number, 1 or more")
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is {jitter}: it must be from 0 to 1")
    cap_s = max(least_cap_s, delay_s) if cap_s is None else cap_s
    return RetryPolicy(delay_s, cast(Backoff, backoff), float(factor), cap_s, float(jitter))


def _whole(retries: int) -> int:
    if type(retries) is not int or not 0 <= retries <= MOST_RETRIES:
        raise ValueError(f"retries is {retries!r}: it must be a whole number from 0 to {MOST_RETRIES:,}")
    return retries


def _start(wanted: Submission, now: float) -> float | None:
    """The instant before which it does not start, in epoch seconds; None: it may at once."""
    if wanted.run_at is None:
        return None if wanted.delay is None else now + seconds(wanted.delay)
    if wanted.delay is not None:
        raise ValueError("delay and run_at both say when it starts: give one of them")
    if type(wanted.run_at) not in (int, float) or not 0 <= wanted.run_at <= now + LONGEST_S:
        raise ValueError(f"run_at is {wanted.run_at!r}: it must be epoch seconds, in the next 100 years at the latest")
    return wanted.run_at


def _key(seal: Seal, option: str, key: str | None) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or not key:
        raise ValueError(f"{option} is {key!r}: it must be text, and not empty")
    return seal.key(clean(key))


def _label(given: str | None) -> str | None:
    if given is None:
        return None
    label = " ".join(clean(given).split())
    if not 0 < len(label) <= LABEL_CHARACTERS:
        raise ValueError(f"a label has 1 to {LABEL_CHARACTERS} characters")
    return redact(label)


def _states(wanted: Submission) -> tuple[State, ...]:
    if wanted.unique_for is None and not wanted.unique_states:
        return ()
    if wanted.unique is None:
        raise ValueError("unique_for and unique_states need a key: give unique too")
    for word in wanted.unique_states:
        if word not in list(State):
            raise ValueError(f"'{word}' is not a state{nearest(word, list(State))}; the states are {', '.join(State)}")
    return tuple(State(word) for word in wanted.unique_states)


def _first(*values: Any) -> Any:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)
