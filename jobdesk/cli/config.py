"""`jobdesk init` and `jobdesk config`: writing, showing and checking settings."""

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from jobdesk.cli.output import Out
from jobdesk.cli.parsing import Args, Group
from jobdesk.core.errors import ConfigError, Refused
from jobdesk.core.redaction import shown

if TYPE_CHECKING:
    from pathlib import Path

    from jobdesk.sections import Config

_SERVICES = ("ServiceSettings", "ProviderSettings")
_HEAD = """# The settings of this desk. What is commented out is the default and follows upgrades: take the # away
# to change it. Durations: "500ms", "5s", "2m", "1h", "7d"; sizes: "512KB", "100MB", "2GB".
# `jobdesk config check` says whether it is right, `jobdesk config show` what holds.

"""


def add(commands: Group) -> None:
    commands.command("init", "make the home and a commented jobdesk.toml; never overwrites", _init)
    noun = commands.noun("config", "look at the settings and check them")
    noun.command("show", "the settings that hold: defaults, jobdesk.toml, environment", _show)
    noun.command("check", "whether jobdesk.toml is right", _check)
    noun.command("schema", "the JSON Schema of jobdesk.toml", _schema)


def _init(args: Args, out: Out) -> None:
    from jobdesk import config, home

    prepared = home.prepare(home.locate(getattr(args, "home", None)))
    path = prepared.settings
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists already and stays as it is: edit it, or move it away first") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(commented(config.defaults_text()))
    if out.json:
        out.document({"home": str(prepared.path), "settings": str(path), "inbox": str(prepared.inbox)})
        return
    out.line(str(path))
    out.note(f"drop pictures into {prepared.inbox}, and open the app with `jobdesk`")


def commented(defaults: str) -> str:
    """The defaults with every setting commented out; table headings stay, so that one line suffices to set one."""
    lines = []
    for line in defaults.splitlines()[2:]:
        setting = line.strip() and not line.startswith("#")
        heading = line.startswith("[") and not line.startswith("[[")
        lines.append("#" + line if setting and not heading else line)
    return _HEAD + "\n".join(lines).strip() + "\n"


def _home(args: Args) -> "Path":
    """The home's place, which is not made if it is missing."""
    from jobdesk import home

    return home.locate(getattr(args, "home", None))


def _show(args: Args, out: Out) -> None:
    from jobdesk import config

    home = _home(args)
    loaded = config.load(home)
    found: dict[str, Any] = shown(_without_secrets(home, loaded, loaded.model_dump(mode="json", by_alias=True)))
    if out.json:
        out.document(found)
        return
    if out.terminal:
        out.line(out.paint("# durations in seconds, sizes in bytes", "faint"))
    for line in _toml(found):
        out.line(line)


def _without_secrets(home: "Path", loaded: "Config", found: dict[str, Any]) -> dict[str, Any]:
    """What stands in the data of schedules, folders and flows in plain, though its job type declares it a secret."""
    from jobdesk import plugins, sealing

    @cache
    def registry() -> plugins.Registry:  # only where there is data: it imports them all
        sys.dont_write_bytecode = True  # this looks only
        return plugins.load(home / "processors", home / "run" / "processors", keep=False)

    def secrets_of(name: str) -> Collection[str]:
        return sealing.declared((flow.definition for flow in loaded.flows), registry().processors.get)(name)

    return dict(sealing.masked(found, secrets_of))


def _check(args: Args, out: Out) -> None:
    from jobdesk import config

    home = _home(args)
    config.load(home)
    path = home / config.FILE
    there = path.exists()
    if out.json:
        out.document({"ok": True, "path": str(path), "exists": there})
    else:
        out.say(f"{path} is right" if there else f"there is no {path}: the defaults hold, and they are right")


def _schema(args: Args, out: Out) -> None:
    from jobdesk.sections import Config

    out.document(schema(Config.model_json_schema()))


def schema(made: dict[str, Any]) -> dict[str, Any]:
    """The model's schema as it holds for jobdesk.toml, where defaults stand behind all but the keys of lists."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    made.pop("required", None)
    for name, part in made.get("$defs", {}).items():
        if name not in (
            "FolderSettings",
            "FlowSettings",
            "StepSettings",
            "HookSettings",
            "ScheduleSettings",
            "WebhookSettings",
            "RouteSettings",
            *_SERVICES,
        ):
            part.pop("required", None)
    return made


def _toml(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Settings as TOML: plain values first, then tables; what is None is left out."""
    tables, lists = {}, {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            tables[key] = value
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            lists[key] = value
        elif value is not None:
            yield f"{_key(key)} = {_toml_value(value)}"
    for key, value in tables.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if not value or any(not isinstance(one, Mapping) for one in value.values()):
            yield ""
            yield f"[{name}]"
        yield from _toml(value, name)
    for key, entries in lists.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        for one in entries:
            yield ""
            yield f"[[{name}]]"
            yield from _toml(one, name)


def _key(key: str) -> str:
    import json

    return (
        key if key and all(letter.isalnum() or letter in "-_" for letter in key) and key.isascii() else json.dumps(key)
    )


def _toml_value(value: Any) -> str:
    import json

    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(one) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))} = {_toml_value(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
