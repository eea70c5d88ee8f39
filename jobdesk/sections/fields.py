"""What the keys of more than one section may be. Every duration is in seconds once read, every size in bytes."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from jobdesk.core.durations import bytes_, seconds
from jobdesk.core.errors import QueryError
from jobdesk.core.job import priority
from jobdesk.core.query import parse
from jobdesk.core.rate import Rate, rate

Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | float)]
Factor = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Bytes = Annotated[int, BeforeValidator(bytes_, json_schema_input_type=str | int)]
PriorityNumber = Annotated[int, BeforeValidator(priority, json_schema_input_type=str | int)]


def _query(text: str) -> str:
    try:
        parse(text)
    except QueryError as error:
        raise ValueError(str(error)) from None
    return text


QueryText = Annotated[str, AfterValidator(_query)]


def _span_or_off(value: Any) -> float | None:
    if value is None or value is False or str(value).strip().lower() == "off":
        return None
    try:
        span_s = seconds(value)
    except ValueError:
        raise ValueError(f"'{value}' is neither off nor a duration like 10m, 1h or 7d") from None
    if span_s <= 0:
        raise ValueError("it must be longer than 0; off for none")
    return span_s


SpanOrOff = Annotated[
    float | None, BeforeValidator(_span_or_off), WithJsonSchema({"type": "string", "examples": ["off", "10m"]})
]
RateLimit = Annotated[
    Rate, BeforeValidator(rate), PlainSerializer(str), WithJsonSchema({"type": "string", "examples": ["100/m"]})
]


def _cron(text: str) -> str:
    from jobdesk.schedules.times import check_cron

    return check_cron(text)


def _timezone(name: str) -> str:
    from jobdesk.schedules.times import zone

    return zone(name).key


Cron = Annotated[str, AfterValidator(_cron)]
Timezone = Annotated[str, AfterValidator(_timezone)]


class Section(BaseModel):
    """A table of the settings; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def repeated(names: Sequence[str]) -> str | None:
    """The first of these that stands there more than once."""
    return next((name for name in names if names.count(name) > 1), None)
