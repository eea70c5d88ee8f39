"""The syntax tree of the query language: fields, words, and the query that they make."""

import re
from dataclasses import dataclass
from enum import Enum


class Sort(Enum):
    """What values a field takes."""

    STATE = "state"
    PRIORITY = "priority"
    DURATION = "duration"
    NUMBER = "number"
    NAME = "name"
    """Compared letter by letter, so that an index can find it."""
    TEXT = "text"
    """Compared without regard to upper and lower case."""
    WORDS = "words"
    """Compared word by word, without regard to case and accents."""
    JSON = "json"
    """A value inside data or result, named by a dotted path."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the language, with an example for help and completion."""

    name: str
    sort: Sort
    example: str
    about: str


FIELDS = {
    field.name: field
    for field in (
        Field("state", Sort.STATE, "state:failed,expired", "the state it is in"),
        Field("queue", Sort.NAME, "queue:upload.*", "the queue it lies in"),
        Field("type", Sort.NAME, "type:IMAGE_*", "its job type"),
        Field("priority", Sort.PRIORITY, "priority:>50", "urgent, high, normal, low or 0-100"),
        Field("user", Sort.TEXT, "user:ada", "who submitted it"),
        Field("label", Sort.TEXT, "label:nightly*", "the label it was given"),
        Field("age", Sort.DURATION, "age:>1h", "time since it was created"),
        Field("took", Sort.DURATION, "took:>30s", "how long its last attempt ran"),
        Field("attempt", Sort.NUMBER, "attempt:>1", "attempts begun"),
        Field("error", Sort.TEXT, "error:Timeout", "part of its error's type or message"),
        Field("text", Sort.WORDS, 'text:thumb*,"two words"', "words of its payload and error, or their beginning"),
        Field("id", Sort.NAME, "id:job_01J", "the beginning of its id"),
        Field("flow", Sort.NAME, "flow:flow_01J", "the beginning of its flow's id"),
        Field("fingerprint", Sort.NAME, "fingerprint:3f2a", "its error's fingerprint"),
        Field("schedule", Sort.TEXT, "schedule:nightly", "the schedule that made it"),
        Field("source", Sort.TEXT, "source:*", "where it came from"),
        Field("worker", Sort.TEXT, "worker:con_*", "who runs or ran it"),
        Field("data", Sort.JSON, "data.path:*.heic", "a value of its payload"),
        Field("result", Sort.JSON, "result.width:>4000", "a value of its result"),
    )
}
ORDERED = frozenset({Sort.PRIORITY, Sort.DURATION, Sort.NUMBER, Sort.JSON})


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: `field` is "" for a bare word, `path` is only for data and result."""

    values: tuple[str, ...]
    field: str = ""
    path: tuple[str | int, ...] = ()
    operator: str = ""
    """"" for equal (or like, or within); else one of > >= < <=, with exactly one value."""
    negated: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        if not self.field:
            return sign + _quoted(self.values[0], bare=True)
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{sign}{self.field}{steps}:{self.operator}{','.join(_quoted(value) for value in self.values)}"


@dataclass(frozen=True, slots=True)
class Query:
    """All of its terms hold; none at all means every job. `str()` of it reads back as an equal query."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __and__(self, other: "Query") -> "Query":
        return Query(self.terms + other.terms)


def fields() -> tuple[Field, ...]:
    """Every field, in the order help shows them."""
    return tuple(FIELDS.values())


def glob(value: str) -> bool:
    """Whether the value has wildcards."""
    return "*" in value or "?" in value


def _quoted(value: str, *, bare: bool = False) -> str:
    plain = not re.search(r'[\s"]', value) and (":" not in value and value[0] != "-" if bare else True)
    if plain and (bare or ("," not in value and not value.startswith((">", "<")))):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
