"""What is measured of events: how many, the sum or the average of a field, how many different, one by another."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FieldName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_@$][A-Za-z0-9_@$ -]*(\.[A-Za-z0-9_@$ -]+)*$", max_length=200)
]
"""A field of an event; `a.b` is field b of field a (in CSV and SQLite a column of that name)."""
MeasureName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
_Value = str | int | float | bool


class Measure(BaseModel):
    """A number about the events of a window.

    `event` and `where` say which events; `field` of sum, average and unique; `of` and `to` are the names of the two
    measures that a ratio divides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["count", "sum", "average", "unique", "ratio"] = "count"
    event: str | list[str] | None = None
    where: dict[FieldName, _Value | list[_Value]] = {}
    field: FieldName | None = None
    of: MeasureName | None = None
    to: MeasureName | None = None
    percent: bool = Field(default=False, description="a ratio as percent")

    @model_validator(mode="after")
    def _whole(self) -> "Measure":
        ratio = self.kind == "ratio"
        if ratio and (self.of is None or self.to is None):
            raise ValueError('a ratio takes of = "NAME" and to = "NAME", the measures that it divides')
        if ratio and (self.event is not None or self.where or self.field is not None):
            raise ValueError("a ratio takes of and to only: event, where and field belong to what it divides")
        if not ratio and (self.of is not None or self.to is not None or self.percent):
            raise ValueError(f"of, to and percent are for a ratio, not for a {self.kind}")
        if self.kind in ("sum", "average", "unique") and self.field is None:
            raise ValueError(f'a {self.kind} takes field = "NAME"')
        if self.kind == "count" and self.field is not None:
            raise ValueError("a count takes no field: unique counts the different values of one")
        return self


def checked(measures: dict[str, Any]) -> dict[str, Measure]:
    """The same, if all that ratios divide is there and is no ratio itself.

    Raises:
        ValueError: something is missing; names it.
    """
    for name, one in measures.items():
        for other in (one.of, one.to):
            if other is not None and (other not in measures or measures[other].kind == "ratio"):
                there = ", ".join(key for key, each in measures.items() if each.kind != "ratio")
                raise ValueError(f"'{name}' divides '{other}', which is none of {there}")
    return measures
