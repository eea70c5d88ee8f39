"""The query language of commands, terminal app, alerts and saved views: from text to a syntax tree and back.

    state:failed,expired queue:upload.* -type:email age:>1h data.path:*.heic text:sunset "connection refused"

Words joined by spaces are AND; commas are OR within one word; a leading `-` is NOT; `*` and `?` stand for
any characters and any one character; quotes hold a value together. What the fields mean to the database is
said in `ledger.search`.
"""

import re
from typing import NoReturn

from jobdesk.core.dead_letters import queue_of
from jobdesk.core.durations import bytes_, seconds
from jobdesk.core.errors import QueryError
from jobdesk.core.job import DEAD, PRIORITIES, State, priority
from jobdesk.core.nearest import nearest
from jobdesk.core.terms import FIELDS, ORDERED, Field, Query, Sort, Term, fields, glob
from jobdesk.core.words import needle

__all__ = ["Field", "Query", "Sort", "Term", "complete", "fields", "glob", "number", "parse", "word_at"]

LONGEST_VALUE = 1000
"""Characters of one value; more is refused."""
MOST_WORDS = 250
MOST_VALUES = 500
"""Of a word; SQLite takes no expression that is much deeper."""


_ELSEWHERE = {
    "waiting": "pending", "queued": "pending", "active": "processing", "running": "processing",
    "delayed": "scheduled,retrying", "done": "completed", "succeeded": "completed", "success": "completed",
    "error": "failed", "canceled": "cancelled", "dead": "failed,expired", "stalled": "processing",
}  # fmt: skip
_OPERATORS = (">=", "<=", ">", "<")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_STEP = re.compile(r"""([^."\[\]]+)((?:\[\d+\])*)""")


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it cannot be read; it says where, and what would fit.
    """
    return _Reader(text).query()


def _dead_letters(term: Term) -> list[Term]:
    """`queue:mail.dlq` and `queue:dead-letter` as what they mean here: jobs of a queue that failed or expired."""
    queues = [queue_of(value) for value in term.values] if term.field == "queue" and not term.negated else [None]
    if None in queues:
        return [term]
    dead = Term(tuple(state.value for state in State if state in DEAD), "state")
    return [dead] if "" in queues else [Term(tuple(str(one) for one in queues), "queue"), dead]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def query(self) -> Query:
        terms: list[Term] = []
        while self._skip_space():
            if len(terms) >= MOST_WORDS:
                self._fail(f"a query may have {MOST_WORDS} words", self.at)
            terms += _dead_letters(self._term())
        return Query(tuple(terms))

    def _skip_space(self) -> bool:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def _term(self) -> Term:
        negated = self._take("-")
        start = self.at
        if self._ended():
            self._fail("'-' says not: put a word right behind it, like -state:completed", start - 1)
        if self.text[start] == '"':
            return Term((self._value("a word"),), negated=negated)
        name = self._run(stop=":")
        if not self._take(":"):
            return Term((self._checked(name, start),), negated=negated)
        field, path = self._field(name, start)
        return self._right_side(field, path, negated, start)

    def _field(self, name: str, start: int) -> tuple[Field, tuple[str | int, ...]]:
        head, dot, rest = name.partition(".")
        if (field := FIELDS.get(head.lower())) is None:
            self._fail(
                f"there is no field '{name}'{nearest(head.lower(), FIELDS)}; fields are {', '.join(FIELDS)}; "
                "to look for it as text put it in quotes",
                start,
                len(name),
            )
        if field.sort is not Sort.JSON:
            if dot:
                self._fail(f"'{field.name}' has no parts: write {field.example}", start, len(name))
            return field, ()
        path: list[str | int] = []
        for step in rest.split("."):
            if (found := _STEP.fullmatch(step)) is None:
                self._fail(f"'{name}' names no value: write {field.example}", start, len(name))
            path += [found[1], *(int(index) for index in re.findall(r"\d+", found[2]))]
        return field, tuple(path)

    def _right_side(self, field: Field, path: tuple[str | int, ...], negated: bool, start: int) -> Term:
        at = self.at
        operator = next((one for one in _OPERATORS if self._take(one)), "")
        if operator and field.sort not in ORDERED:
            self._fail(f"'{field.name}' has no order, so '{operator}' does not fit: write {field.example}", at, 1)
        if not operator and field.sort is Sort.DURATION:
            length = len(self._run(stop="")) or 1
            self._fail(f"'{field.name}' is longer or shorter than a time: write {field.example}", at, length)
        values = [self._fitting(field, operator)]
        while not self._ended() and self._take(","):
            if operator:
                self._fail(f"'{operator}' takes one value: write {field.example}", self.at - 1)
            if len(values) >= MOST_VALUES:
                self._fail(f"a word may have {MOST_VALUES} values", self.at - 1)
            values.append(self._fitting(field, operator))
        if not self._ended():
            self._fail("put a space or a comma behind the closing quote", self.at)
        return Term(tuple(values), field.name, path, operator, negated)

    def _fitting(self, field: Field, operator: str) -> str:
        start = self.at
        value = self._value(f"'{field.name}:'")
        length = self.at - start
        if field.sort is Sort.STATE:
            value = value.lower()
            if value not in set(State):
                here = f", here it is '{_ELSEWHERE[value]}'" if value in _ELSEWHERE else nearest(value, State)
                self._fail(f"'{value}' is not a state{here}; states are {', '.join(State)}", start, length)
        try:
            if field.sort is Sort.PRIORITY:
                value = value.lower()
                priority(value)
            elif field.sort is Sort.DURATION:
                seconds(value)
            elif field.sort is Sort.NUMBER or operator:
                number(value)
            elif field.sort is Sort.WORDS:
                needle(value)
        except ValueError as error:
            more = f": write {field.example}" if field.sort is Sort.WORDS else ""
            self._fail(f"{error}{more}", start, length)
        return value

    def _value(self, whose: str) -> str:
        start = self.at
        value = self._quoted_value(start) if self._take('"') else self._run(stop=",")
        if not value:
            self._fail(f"{whose} needs a value", start, max(1, self.at - start))
        return self._checked(value, start)

    def _quoted_value(self, start: int) -> str:
        out: list[str] = []
        while (letter := self.text[self.at : self.at + 1]) != '"':
            if not letter:
                self._fail("the closing quote is missing", start, len(self.text) - start)
            self.at += 1
            if letter == "\\" and self.text[self.at : self.at + 1] in ('"', "\\"):
                letter = self.text[self.at]
                self.at += 1
            out.append(letter)
        self.at += 1
        return "".join(out)

    def _checked(self, value: str, start: int) -> str:
        if len(value) > LONGEST_VALUE:
            self._fail(f"a value may have {LONGEST_VALUE} characters", start, self.at - start)
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            self._fail("this is not valid text", start, self.at - start)
        return value

    def _run(self, stop: str) -> str:
        start = self.at
        while not self._ended() and self.text[self.at] not in stop:
            self.at += 1
        return self.text[start : self.at]

    def _ended(self) -> bool:
        return self.at >= len(self.text) or self.text[self.at].isspace()

    def _take(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def _fail(self, message: str, position: int, length: int = 1) -> NoReturn:
        raise QueryError(f"{message} (at character {position + 1} of the query)", position, max(1, length))


def number(text: str) -> float:
    """Read a number, or a size such as 5MB.

    Raises:
        ValueError: it is neither.
    """
    if _NUMBER.fullmatch(text) and len(text) < 40:
        return float(text)
    try:
        return float(bytes_(text))
    except ValueError:
        raise ValueError(f"'{text}' is not a number") from None


def complete(text: str, cursor: int, known: dict[str, list[str]] | None = None) -> list[str]:
    """What the word left of the cursor may become: whole words that replace `word_at(text, cursor)`.

    Args:
        known: values that are in use, by field: {"queue": […], "type": […]}.
    """
    start, _ = word_at(text, cursor)
    word = text[start:cursor]
    sign, word = ("-", word[1:]) if word.startswith("-") else ("", word)
    name, colon, value = word.partition(":")
    if not colon:
        heads = [field.name + ("." if field.sort is Sort.JSON else ":") for field in fields()]
        return [sign + head for head in heads if head.startswith(name.lower())]
    if (field := FIELDS.get(name.lower())) is None:
        return []
    given, comma, last = value.rpartition(",")
    choices: list[str] = {
        Sort.STATE: [str(state) for state in State],
        Sort.PRIORITY: list(PRIORITIES),
        Sort.DURATION: [">1m", ">10m", ">1h", ">1d", "<1m", "<1h", "<1d"],
        Sort.NUMBER: [">1"],
    }.get(field.sort, (known or {}).get(field.name, []))
    head = f"{sign}{field.name}:{given}{comma}"
    return [head + choice for choice in choices if choice.lower().startswith(last.lower()) and choice != last]


def word_at(text: str, cursor: int) -> tuple[int, int]:
    """Start and end of the word that the cursor stands in or behind; a quoted part belongs to its word."""
    start, quoted = 0, False
    for at, letter in enumerate(text):
        if letter == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        elif letter.isspace() and not quoted:
            if at >= cursor:
                return start, at
            start = at + 1
    return start, len(text)
