"""`Secret[str]` in the parameters of a processor: encrypted where it is stored, masked where it is shown.

What is stored and passed around in its place is a token (`core.redaction.TOKEN`). It is made when the job is
submitted, and opened where the job runs, by `reveal`. A token is text, so it also works as a part of a longer one:
`"Bearer {steps.login.result.token}"`.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, get_args

from jobdesk.core.redaction import MASK, TOKEN, TOKEN_MARK

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")
SEAL = "seal"
OPEN = "open"
"""Keys of pydantic's context: how a value is sealed, and what opens tokens."""
_DEEPEST = 8
"""Secrets within secrets."""


class Opener(Protocol):
    """Opens tokens for a running job, and sees to it that what was in them is not said."""

    def open(self, token: str) -> str: ...

    def know(self, value: Any) -> None: ...


class Secret(Generic[T]):
    """A value that is nobody's business: `reveal` gives it, nothing else does."""

    __slots__ = ("_inner", "_opener", "_token", "_value")

    def __init__(self, value: T) -> None:
        self._value: T | None = value
        self._token: str | None = None
        self._opener: Opener | None = None
        self._inner: Any = None

    @classmethod
    def _sealed(cls, token: str, opener: Opener | None, inner: Any) -> "Secret[T]":
        made = cls.__new__(cls)
        made._value, made._token, made._opener, made._inner = None, token, opener, inner
        return made

    def reveal(self) -> T:
        """The value itself.

        Raises:
            SecretError: it cannot be opened: not in a running job, or its key is lost.
        """
        if self._token is not None and self._value is None:
            from jobdesk.core.errors import SecretError

            if self._opener is None:
                raise SecretError("a secret can be revealed only in the job that it was given to")
            plain = opened(self._token, self._opener.open)
            self._opener.know(plain)  # first: it may not fit, and the error would say it
            self._value = self._convert(plain)
        if self._opener is not None:
            self._opener.know(self._value)
        return self._value  # type: ignore[return-value]

    def _convert(self, value: Any) -> T:
        from pydantic import TypeAdapter, ValidationError

        from jobdesk.core.errors import SecretError

        try:
            made: T = value if self._inner is None else TypeAdapter(self._inner).validate_python(value)
        except ValidationError:
            raise SecretError("a secret is not of the kind that its job takes: submit the job again") from None
        return made

    def sealed(self, seal: Callable[[str], str]) -> str:
        """Its token; made now if it has none."""
        if self._token is None:
            self._token = seal(as_json(self._value))
        return self._token

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret cannot be pickled: pass on what reveal() gives, where it must be")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        inner = (get_args(source) or (Any,))[0]

        def read(value: Any, check: Callable[[Any], Any], info: Any) -> Secret[Any]:
            opener: Opener | None = (info.context or {}).get(OPEN)
            if isinstance(value, Secret):
                if opener is not None and value._opener is None:
                    value._opener = opener
                return value
            if isinstance(value, str) and value == MASK:
                raise ValueError("it is only the mask of a secret: give the value itself")
            if isinstance(value, str) and TOKEN.fullmatch(value):
                return Secret._sealed(value, opener, inner)
            if opener is not None:
                value = _replaced(value, opener.open, 0)  # a token in the middle of a text
            made: Secret[Any] = Secret(check(value))
            made._opener = opener
            return made

        def write(value: "Secret[Any]", info: Any) -> str:
            seal = (info.context or {}).get(SEAL)
            return value.sealed(seal or _refuse)

        return core_schema.with_info_wrap_validator_function(
            read,
            handler.generate_schema(inner),
            serialization=core_schema.plain_serializer_function_ser_schema(write, info_arg=True, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> dict[str, Any]:
        made = {**handler(schema["schema"]), "writeOnly": True}
        return made | ({"format": "password"} if made.get("type") == "string" else {})


def _refuse(text: str) -> str:
    raise ValueError("a secret is stored encrypted, and there is nothing here to do so")


def as_json(value: Any) -> str:
    """What is encrypted of a value.

    Raises:
        ValueError: it is not a JSON value.
    """
    from pydantic_core import to_jsonable_python

    return json.dumps(to_jsonable_python(value), ensure_ascii=False)


def opened(token: str, open_: Callable[[str], str], depth: int = 0) -> Any:
    """The value in a token, with those of tokens within it."""
    return _replaced(json.loads(open_(token)), open_, depth + 1)


def _replaced(value: Any, open_: Callable[[str], str], depth: int) -> Any:
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: _replaced(one, open_, depth) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(one, open_, depth) for one in value]
    if not isinstance(value, str) or TOKEN_MARK not in value:
        return value
    return TOKEN.sub(lambda found: _text(opened(found[0], open_, depth)), value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def holds(value: Any) -> bool:
    """Whether there is a `Secret` in a value."""
    if value is None or isinstance(value, str):  # most are: to ask for a Mapping takes ten times as long
        return False
    if isinstance(value, Mapping):
        return any(map(holds, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds, value))
    return isinstance(value, Secret)


def tokens_for(value: Any, seal: Callable[[str], str]) -> Any:
    """The value with a token for each `Secret` in it."""
    if isinstance(value, Secret):
        return value.sealed(seal)
    if isinstance(value, Mapping):
        return {key: tokens_for(one, seal) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [tokens_for(one, seal) for one in value]
    return value
