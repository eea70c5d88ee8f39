"""Settings: the defaults, HOME/jobdesk.toml, and the environment, checked once into one frozen object.

Units are in the types: every duration is in seconds once read, every size in bytes.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from jobdesk.core import env
from jobdesk.core.errors import ConfigError
from jobdesk.core.nearest import nearest
from jobdesk.core.redaction import everywhere
from jobdesk.sections import Config

FILE = "jobdesk.toml"


def load(home: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings of a home.

    Raises:
        ConfigError: a file cannot be read, or a key or value is wrong; names file, line, key and the nearest right one.
    """
    path = home / FILE
    merged = tomllib.loads(defaults_text())
    text = ""
    if path.exists():
        try:
            text = path.read_text("utf-8")
            own = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        merged = _merge(merged, own)
    named = _from_environment(environment)
    merged = _merge(merged, named)
    everywhere.know(env.values(merged, environment), always=True)
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, text, bool(named))) from None


def defaults_text() -> str:
    """The text of the default settings, comments and all."""
    return (files("jobdesk") / "defaults.toml").read_text("utf-8")


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables join key by key; anything else, lists too, is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


_NOT_SETTINGS = {"JOBDESK_HOME", "JOBDESK_SECRET_KEY"}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """JOBDESK_DESK__WORKERS=8 as {"desk": {"workers": 8}}; values are read as TOML where they can be."""
    found: dict[str, Any] = {}
    for name, raw in sorted(environment.items()):
        if not name.startswith("JOBDESK_") or name in _NOT_SETTINGS or "__" not in name:
            continue
        section, _, key = name.removeprefix("JOBDESK_").partition("__")
        try:
            value = tomllib.loads(f"value = {raw}")["value"]
        except tomllib.TOMLDecodeError:
            value = raw
        table = found.setdefault(section.lower(), {})
        *path, last = key.split("__")
        for part in path:
            table = table.setdefault(
                part if section in ("QUEUES", "TYPES", "SERVICES", "PROVIDERS") else part.lower(), {}
            )
            if not isinstance(table, dict):
                raise ConfigError(f"the environment sets both {name} and what it stands in: unset one of them")
        table[last.lower()] = value
    return found


def _explain(error: ValidationError, path: Path, text: str, environment: bool) -> str:
    said = []
    for item in error.errors(include_url=False):
        location = [str(part) for part in item["loc"]]
        name = ".".join(location)
        line = _line_of(text, location)
        where = f"{path}, line {line}" if line else ("the environment" if environment else str(path))
        if item["type"] == "extra_forbidden":
            said.append(f"{where}: '{name}' is not a setting{nearest(location[-1], _known(location[:-1]))}")
        else:
            said.append(f"{where}: '{name}' is wrong: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(said)


def _known(location: list[str]) -> list[str]:
    """The keys that fit at a place in the settings."""
    model: Any = Config
    for part in location:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        annotation = field.annotation if field else model
        inner = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type)]
        model = next((one for one in inner if issubclass(one, BaseModel)), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(text: str, location: list[str]) -> int | None:
    """The line where a key stands in the TOML text, as well as it can be told without a full parse."""
    wanted, table = ".".join(location), list[str]()
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$", line):
            name = _bare(found[2])
            if found[1] == "[[":
                seen = {other: n for other, n in seen.items() if not other.startswith(name + ".")}
                seen[name] = seen.get(name, -1) + 1
            table = _place(name, seen)
            if ".".join(table) == wanted:
                return number
        elif (found := re.match(r"\s*([\w.\"'-]+)\s*=", line)) and (wanted + ".").startswith(
            ".".join([*table, _bare(found[1])]) + "."
        ):
            return number
    return None


def _bare(name: str) -> str:
    return name.replace('"', "").replace("'", "")


def _place(table: str, seen: Mapping[str, int]) -> list[str]:
    """The name of a table with the index of each list it lies in: flows.steps as flows.0.steps.2."""
    place, name = list[str](), ""
    for part in table.split("."):
        name = f"{name}.{part}" if name else part
        place += [part, str(seen[name])] if name in seen else [part]
    return place
