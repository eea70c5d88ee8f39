"""The `@processor` decorator: a function becomes a job type whose payload is its parameters."""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import json
import typing
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from jobdesk.core.durations import bytes_, seconds
from jobdesk.core.errors import JobdeskError, PayloadError
from jobdesk.core.job import PRIORITIES
from jobdesk.core.job import priority as read_priority
from jobdesk.core.nearest import nearest
from jobdesk.core.redaction import Redactor
from jobdesk.core.retry import Backoff
from jobdesk.core.secret import OPEN, SEAL, Opener
from jobdesk.core.speech import Word
from jobdesk.core.text import to_json

if TYPE_CHECKING:
    from pydantic import BaseModel

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__jobdesk_processor__"
_BY_NAME_ONLY = inspect.Parameter.KEYWORD_ONLY
Isolation = Literal["process", "thread"]
_SCALARS = frozenset({str, int, float, bool, type(None)})
SCHEDULE_KEYS = ("cron", "timezone", "data", "queue", "priority", "missed", "overlap")
"""Of a schedule that a processor brings with it."""


@dataclass(frozen=True)
class Processor:
    """A job type: its function and what it wants where settings and submission say nothing.

    None means: as `[queues]` or `[defaults]` have it.
    """

    type: str
    function: Callable[..., Any]
    queue: str = "default"
    priority: int | None = None
    priority_key: str | None = None
    """The key of the payload that says the priority, where the submission does not."""
    timeout_s: float | None = None
    retries: int | None = None
    retry_delay_s: float | None = None
    backoff: Backoff | None = None
    isolation: Isolation = "process"
    permanent: tuple[builtins.type[BaseException], ...] = ()
    service: str | None = None
    memory_bytes: int | None = None
    """What a process may need for a job of it."""
    schedule: Mapping[str, Any] | None = None
    """When it is to be run by itself: keys of `SCHEDULE_KEYS`."""
    hears: Collection[Word] = ()
    queues: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """By a word of priority, the queue where the submission says the priority and no queue."""

    def queue_for(self, priority: int) -> str | None:
        """The queue that a priority chooses; None if it chooses none."""
        word = "high" if priority >= PRIORITIES["high"] else "low" if priority <= PRIORITIES["low"] else "normal"
        return self.queues.get(word)

    def service_of(self, data: Mapping[str, Any]) -> str | None:
        """The service that a job with this payload needs; `{key}` is the one that the payload names, if it does."""
        if self.service is None or not self.service.startswith("{"):
            return self.service
        named = data.get(self.service[1:-1])
        return str(named) if named else None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def payload(self) -> builtins.type[BaseModel]:
        """The pydantic model of the parameters; unknown keys are refused."""
        return self._model(())

    def _model(self, without: Collection[str]) -> builtins.type[BaseModel]:
        from pydantic import ConfigDict, create_model

        hints = typing.get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            if name in without:
                continue
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (hints.get(name, Any), default)
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        with warnings.catch_warnings():  # a parameter may be called json, or copy: pydantic's own are not used
            warnings.filterwarnings("ignore", "Field name .* shadows an attribute", UserWarning)
            model: builtins.type[BaseModel] = create_model(self.type, __config__=config, **fields)
        return model

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the payload."""
        return self.payload.model_json_schema()

    @property
    def takes_failed(self) -> bool:
        """Whether it wants to know what failed, where it is what a failure leads to."""
        return "failed" in self.payload.model_fields

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Parameters that are a `Secret`, or hold one."""
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        found = set()
        for name, field in self.payload.model_fields.items():
            try:
                hidden = '"writeOnly": true' in json.dumps(TypeAdapter[Any](cast(Any, field.annotation)).json_schema())
            except (PydanticUserError, TypeError):  # a type that has no schema
                hidden = "Secret[" in repr(field.annotation)
            if hidden:
                found.add(name)
        return frozenset(found)

    def check(
        self,
        data: Mapping[str, Any],
        later: Collection[str] = (),
        seal: Callable[[str], str] | None = None,
        home: Path | None = None,
    ) -> dict[str, Any]:
        """The payload as it is stored, as `checked` has it."""
        stored: dict[str, Any] = json.loads(self.checked(data, later, seal, home))
        return stored

    def checked(
        self,
        data: Mapping[str, Any],
        later: Collection[str] = (),
        seal: Callable[[str], str] | None = None,
        home: Path | None = None,
    ) -> str:
        """The payload as JSON, as it is stored: converted, defaults filled in, paths absolute, secrets encrypted.

        Args:
            later: keys whose values are known only when the job runs; they need only be parameters.
            seal: encrypts a secret; what takes none needs none.
            home: of the desk, for validators that look there (`info.context["home"]`).

        Raises:
            PayloadError: a key is unknown, missing or of the wrong kind, or a value cannot be stored; names it.
        """
        model, open_ = self.payload, dict[str, Any]()
        if later:
            open_ = {key: value for key, value in data.items() if key in later and key in model.model_fields}
            data = {key: value for key, value in data.items() if key not in open_}
            model = self._model(open_) if open_ else model
        made = self._validated(data, model, {"home": home})
        values = made.__dict__  # to set an attribute of a model costs as much as to check it
        for name, value in values.items():
            if builtins.type(value) not in _SCALARS:
                values[name] = _absolute(value)
        try:
            stored: dict[str, Any] = model.__pydantic_serializer__.to_python(
                made, mode="json", by_alias=True, round_trip=True, context={SEAL: seal}
            )
            return to_json(stored | open_) if open_ else _as_json(stored)
        except Exception as error:  # pydantic and json have several of their own
            if isinstance(error.__cause__, JobdeskError):
                raise error.__cause__ from None
            raise PayloadError(f"{self.type}: its payload cannot be stored as JSON ({error})") from None

    def call(self, context: Any, data: Mapping[str, Any], opener: Opener | None = None) -> Any:
        """Run the function on a stored payload, whose secrets are opened by `opener`.

        Raises:
            PayloadError: the stored payload no longer fits (the processor changed since).
        """
        made = self._validated(data, self.payload, None if opener is None else {OPEN: opener})
        return self.function(context, **vars(made))

    def _validated(
        self, data: Mapping[str, Any], model: builtins.type[BaseModel], context: dict[str, Any] | None
    ) -> BaseModel:
        try:
            made: BaseModel = model.__pydantic_validator__.validate_python(dict(data), context=context)
        except ValueError as error:
            from pydantic import ValidationError

            if not isinstance(error, ValidationError):
                raise
            raise PayloadError(f"{self.type}: {self._explain(error)}") from None
        return made

    def _explain(self, error: Any) -> str:
        known = list(self.payload.model_fields)
        parts = []
        for item in error.errors(include_url=False):
            key = ".".join(str(part) for part in item["loc"])
            if item["type"] == "missing":
                parts.append(f"'{key}' is missing")
            elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
                parts.append(_wrong_tag(key, item["ctx"]))
            elif item["type"] == "extra_forbidden" and len(item["loc"]) > 1:
                parts.append(f"'{key}' is not known there")
            elif item["type"] == "extra_forbidden":
                parts.append(f"'{key}' is not a parameter{nearest(key, known)}; it takes {', '.join(known) or 'none'}")
            elif not item["loc"]:  # it is about the payload as a whole, and there may be secrets in that
                parts.append(item["msg"].removeprefix("Value error, "))
            elif str(item["loc"][0]) in self.secrets:
                parts.append(f"'{key}' is wrong: {Redactor([item['input']]).known(item['msg'])}")
            else:
                said = item["input"] is None or item["type"] in ("too_short", "too_long")
                given = "" if said else f", not {item['input']!r}"
                parts.append(f"'{key}' is wrong: {item['msg'].removeprefix('Value error, ')}{given}")
        return "; ".join(parts)


@cache
def _encoder() -> Callable[[Any], bytes]:
    from pydantic_core import to_json

    return to_json


def _as_json(value: Any) -> str:
    """What pydantic has made plain as JSON, by its own encoder, which takes a sixth of the time of Python's."""
    try:
        text = _encoder()(value).decode()
    except ValueError:  # lone surrogates
        return to_json(value)
    return to_json(value) if "NaN" in text or "Infinity" in text else text  # as values they are refused


def _wrong_tag(key: str, told: Mapping[str, Any]) -> str:
    """What is wrong with the key that says which of several shapes a value has."""
    tag = told["discriminator"].strip("'")
    wrong = f"wrong: it should be one of {told['expected_tags']}, not '{told['tag']}'" if "tag" in told else "missing"
    return f"'{key}.{tag}' is {wrong}"


def _absolute(value: Any) -> Any:
    """Paths in a payload are meant from where the submitter stands; also those in lists and tables."""
    if isinstance(value, Path):
        return value.expanduser().absolute()
    if isinstance(value, list | tuple | set):
        return builtins.type(value)(_absolute(one) for one in value)
    if isinstance(value, dict):
        return {key: _absolute(one) for key, one in value.items()}
    return value


def _check_signature(type_: str, function: Callable[..., Any]) -> None:
    """A processor takes the context first, then parameters by name.

    Raises:
        TypeError: it does not.
    """
    context, *others = inspect.signature(function).parameters.values() or [inspect.Parameter("_", _BY_NAME_ONLY)]
    if context.kind is _BY_NAME_ONLY:
        raise TypeError(f"processor {type_}: its first parameter must be the context")
    for one in others:
        if one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
            raise TypeError(f"processor {type_}: parameter '{one.name}' must be one that can be given by name")


def _schedule(type_: str, given: str | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if given is None:
        return None
    made = {"cron": given} if isinstance(given, str) else dict(given)
    for key in made:
        if key not in SCHEDULE_KEYS:
            raise TypeError(f"processor {type_}: its schedule has no key '{key}'{nearest(key, SCHEDULE_KEYS)}")
    if "cron" not in made:
        raise TypeError(f"processor {type_}: its schedule needs a cron expression")
    return made


def processor(
    type: str,
    *,
    queue: str = "default",
    priority: str | int | None = None,
    timeout: str | float | None = None,
    retries: int | None = None,
    retry_delay: str | float | None = None,
    backoff: Backoff | None = None,
    isolation: Isolation = "process",
    permanent: tuple[builtins.type[BaseException], ...] = (),
    service: str | None = None,
    memory_limit: str | int | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    hears: Collection[Word] = (),
    queues: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare the function below as the processor of a job type.

    Its first parameter is the Context; the others, by their annotations, are the payload.

    Args:
        type: the job type's name, unique in a desk.
        queue: where its jobs go unless the submission says otherwise.
        priority: urgent, high, normal, low or 0-100, or `{key}` for what the payload's key says; the queue's own if
            None.
        timeout: of one attempt ("2m" or seconds).
        retries: further attempts after the first fails.
        retry_delay: wait after the first failed attempt.
        backoff: how that wait grows: fixed, linear, exponential.
        isolation: "process" (killable, measured) or "thread" (small and cooperative).
        permanent: exception classes that are not retried.
        service: what it needs, a name of `[services]` or `[providers]`, or `{key}` for the one that the payload's key
            names: while its breaker is open, jobs of the type wait at no cost.
        memory_limit: what a process may need for it ("1GB" or bytes), if less than `desk.memory_limit`.
        schedule: run it by itself at the times of a cron expression; or a table with `cron` and, where wanted,
            `timezone`, `data`, `queue`, `priority`, `missed`, `overlap`. It has the type's name.
        hears: what people may say to a job of it while it runs (pause, continue, signal, send): `ctx.heard()` tells it.
        queues: other queues by priority: `{"high": …, "low": …}`, for jobs of at least high and at most low.
    """

    def declare(function: F) -> F:
        _check_signature(type, function)
        key = priority[1:-1] if isinstance(priority, str) and priority.startswith("{") else None
        made = Processor(
            type=type,
            function=function,
            queue=queue,
            priority=None if priority is None or key is not None else read_priority(priority),
            priority_key=key,
            timeout_s=None if timeout is None else seconds(timeout),
            retries=retries,
            retry_delay_s=None if retry_delay is None else seconds(retry_delay),
            backoff=backoff,
            isolation=isolation,
            permanent=permanent,
            service=service,
            memory_bytes=None if memory_limit is None else bytes_(memory_limit),
            schedule=_schedule(type, schedule),
            hears=tuple(hears),
            queues=dict(queues or {}),
        )
        setattr(function, MARK, made)
        return function

    return declare
