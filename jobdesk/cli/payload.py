"""A job's data from the words of a command line: key=value, key:=JSON, --data JSON | @FILE | -."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobdesk.core.errors import PayloadError, UsageError


def data_of(given: str | None) -> dict[str, Any]:
    """The object that --data gives: JSON, @FILE with JSON, or - for standard input.

    Raises:
        PayloadError: it is not a JSON object, or the file cannot be read.
    """
    if given is None:
        return {}
    where = "--data"
    if given == "-":
        text, where = sys.stdin.read(), "standard input"
    elif given.startswith("@"):
        text, where = read_file(given[1:]), given[1:]
    else:
        text = given
    value = _json(text, where)
    if not isinstance(value, dict):
        raise PayloadError(f'{where} holds {_kind(value)}: a job\'s data is a JSON object like {{"key": "value"}}')
    return value


def merged(data: Mapping[str, Any], pairs: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with the pairs laid over it.

    key=value takes a number, true, false, null, list or object as such and anything else as text (also a
    number where `schema` wants text); key:=JSON is read as JSON; key=@FILE is the text of a file.

    Raises:
        PayloadError: a word is not a pair.
    """
    made = dict(data)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip(":"):
            raise PayloadError(f"'{pair}' is not a piece of data: write key=value")
        if key.endswith(":"):
            made[key[:-1]] = _json(value, key[:-1])
        elif value.startswith("@"):
            made[key] = _file_or_text(key, value)
        else:
            made[key] = value if _wants_text(schema, key, value) else _guess(value)
    return made


def read_file(name: str) -> str:
    """The text of a file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return Path(name).expanduser().read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8 text") from None


def check_file(name: str) -> str:
    """The whole path of a file that can be read.

    Raises:
        UsageError: it cannot.
    """
    path = Path(name).expanduser().absolute()
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    return str(path)


def _file_or_text(key: str, value: str) -> str:
    path = Path(value[1:]).expanduser()
    if not path.is_file():
        raise PayloadError(f"'{key}': there is no file {value[1:]}; for the text itself write {key}:='\"{value}\"'")
    return read_file(value[1:])


def _guess(value: str) -> Any:
    import json

    try:
        read = json.loads(value, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        return value
    if isinstance(read, str) or (isinstance(read, float) and read in (float("inf"), float("-inf"))):
        return value
    return read


def _json(text: str, where: str) -> Any:
    import json

    try:
        return json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"{where} is not JSON: {error}") from None


def _not_a_number(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _wants_text(schema: Mapping[str, Any], key: str, value: str) -> bool:
    """Whether a value stays text; `null` is none where there may be none. Keys may be spelled in camel case."""
    known = schema.get("properties", {})
    wanted = known.get(key) or known.get(re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key), {})
    kinds: Iterable[Mapping[str, Any]] = wanted.get("anyOf", [wanted])
    types = {one.get("type") for one in kinds}
    return types == {"string"} or (types == {"string", "null"} and value != "null")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "null" if value is None else f"{value!r}"
