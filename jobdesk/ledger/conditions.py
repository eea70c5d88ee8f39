"""What one word of a query asks of a row, as SQL with bound values."""

import re
from collections.abc import Sequence
from typing import Any

from jobdesk.core.durations import seconds
from jobdesk.core.job import priority
from jobdesk.core.query import Term, glob, number
from jobdesk.core.words import needle

Condition = tuple[str, list[Any]]
"""SQL over `job j`, and its values."""

_COLUMNS = {"label": "j.label", "schedule": "j.schedule", "source": "j.source", "user": "j.user", "worker": "j.worker"}
_TEXTS = "j.data, j.error_type, j.error_message, j.error_traceback"
_LAST = "\U0010ffff"
"""No text that begins as another one sorts behind that one with this at its end."""
ENDING = 4
"""Letters of an id's end that a bare word has at least: fewer would fit many by chance."""
_PIECE = re.compile(r"[0-9A-HJKMNP-TV-Z]+")
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_PREFIXED = {"id": "j.id", "flow": "j.flow", "fingerprint": "j.error_fingerprint"}


def condition(term: Term, now: float) -> Condition:
    """The condition of any word but state, queue and type; `now` is epoch seconds."""
    each = [_one(term, value, now) for value in term.values]
    sql = " OR ".join(f"({one})" for one, _ in each)
    values = [value for _, given in each for value in given]
    # a row without the value does not have it: NOT of NULL would leave it out
    return (f"NOT ifnull({sql}, 0)" if term.negated else f"({sql})"), values


def prefix(field: str, value: str) -> tuple[str, str]:
    """From and (exclusive) to of what begins with `value`; ids may be written without `job_` and in small letters."""
    if field == "id":
        value = "job_" + (value[4:] if value.lower().startswith("job_") else value).upper()
    return value, value + _LAST


def matches(pattern: str, word: str) -> bool:
    """Whether a whole word fits a value of the query language, letter by letter."""
    if not glob(pattern):
        return pattern == word
    made = "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(made, word, re.DOTALL) is not None


def _one(term: Term, value: str, now: float) -> Condition:
    field, operator = term.field, term.operator or "="
    if field in _COLUMNS:
        return like(_COLUMNS[field], value)
    if field in _PREFIXED:
        return _prefix(field, value)
    if field in ("data", "result"):
        return _json(term, value)
    if field == "text":
        return f"has_words({_TEXTS}, ?)", [needle(value)]
    if field == "error":
        return has_error(value)
    if not field:
        return _bare(value)
    return _measure(field, operator, value, now)


def piece_of_id(value: str) -> str | None:
    """The beginning or end of an id that a bare word may be, in capitals and without `job_`; None if it is neither."""
    plain = value.upper().removeprefix("JOB_")
    return plain if _PIECE.fullmatch(plain) else None


def has_error(value: str) -> Condition:
    """Jobs whose error's type or message has this in it."""
    return _part_of(("j.error_type", "j.error_message"), value)


def ends_like(piece: str) -> Condition:
    """Jobs whose id ends with this."""
    return "substr(j.id, ?) = ?", [-len(piece), piece]


def like(column: str, value: str) -> Condition:
    """A text that fits a value of the query language, without regard to upper and lower case."""
    if glob(value):
        return f"{column} LIKE ? ESCAPE '\\'", [_like_text(value)]
    return f"{column} = ? COLLATE NOCASE", [value]


def _bare(value: str) -> Condition:
    """A part of the type or the error, or the beginning or end of the id."""
    each = [_part_of(("j.type", "j.error_type", "j.error_message"), value)]
    if (piece := piece_of_id(value)) is not None:
        each.append(("j.id >= ? AND j.id < ?", list(prefix("id", piece))))
        if len(piece) >= ENDING:
            each.append(ends_like(piece))
    return " OR ".join(sql for sql, _ in each), [one for _, values in each for one in values]


def _part_of(columns: Sequence[str], value: str) -> Condition:
    return " OR ".join(f"{one} LIKE ? ESCAPE '\\'" for one in columns), [f"%{_like_text(value)}%"] * len(columns)


def _measure(field: str, operator: str, value: str, now: float) -> Condition:
    if field == "age":
        return f"j.created_at {_FLIPPED[operator]} ?", [now - seconds(value)]
    if field == "took":
        ended = "coalesce(j.finished_at, CASE j.state WHEN 'processing' THEN ? END)"
        return f"{ended} - j.started_at {operator} ?", [now, seconds(value)]
    if field == "priority":
        return f"j.priority {operator} ?", [priority(value)]
    return f"j.attempt {operator} ?", [number(value)]


def _prefix(field: str, value: str) -> Condition:
    column = _PREFIXED[field]
    if glob(value):
        start = "" if field != "id" or value.startswith(("job_", "*")) else "job_"
        return f"{column} GLOB ?", [re.sub(r"\*+", "*", start + value).replace("[", "[[]") + "*"]
    start, end = prefix(field, value)
    return f"{column} >= ? AND {column} < ?", [start, end]


def _like_text(value: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", value)
    return re.sub(r"\*+", "%", escaped).replace("?", "_")


def _json(term: Term, value: str) -> Condition:
    column = f"j.{term.field}"
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in term.path)
    sql, values = "", list[Any]()
    if term.operator:
        sql, values = f"e.type IN ('integer', 'real') AND e.atom {term.operator} ?", [number(value)]
    elif value in ("true", "false", "null"):
        sql, values = "(e.type = ? OR e.atom = ?)", [value, value]
    else:
        sql, values = like("CAST(e.atom AS TEXT)", value)
        if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value):
            sql, values = f"({sql} OR e.type IN ('integer', 'real') AND e.atom = ?)", [*values, float(value)]
    # json_each takes a list's elements one by one and a plain value as itself; NaN is not valid JSON to SQLite
    source = f"json_each(CASE WHEN json_valid({column}) THEN {column} END, ?)"
    return f"EXISTS (SELECT 1 FROM {source} e WHERE {sql})", [path, *values]
