"""What is somebody's own: keys, themes, views, and where the app was when it was left.

Keys, the theme and views come from the settings, themes from HOME/themes/*.toml, the rest from HOME/app.json, which
the app writes. Whatever is wrong with them is said once and left out: the app opens all the same.
"""

import json
import logging
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from jobdesk.core.nearest import nearest
from jobdesk.tui.actions import Action
from jobdesk.tui.palette import DESK, PAPER

VERSION = 1
NARROWEST, WIDEST = 25, 75
"""Percent of the width that an open job may have."""
COLOURS = (
    "primary", "secondary", "accent", "warning", "error", "success", "foreground", "background", "surface", "panel",
)  # fmt: skip

_SPEAKING = ("secondary", "accent", "warning", "error", "success")
"""Those that say something: a theme that does not name one has ours, where Textual would take its primary for all."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where the app was when it was left; "" or None: as it comes."""

    view: str = "overview"
    filter: str = ""
    order: str = ""
    descending: bool = False
    theme: str = ""
    views: dict[str, str] = field(default_factory=dict)
    """Filters by name."""
    split: int = 45
    """Percent of the width that an open job has beside the list."""


def remember(file: Path, what: Remembered) -> None:
    """Keep it; a home that cannot be written to is no reason to fail on the way out."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        new.write_text(json.dumps({"version": VERSION, **asdict(what)}, indent=2) + "\n", "utf-8")
        new.chmod(0o600)
        new.replace(file)
    except OSError as error:
        logging.getLogger("jobdesk").warning("cannot remember where the app was: %s", error)


def recall(file: Path) -> Remembered:
    """What was kept; of a file that is damaged or of another version what fits."""
    try:
        read = json.loads(file.read_text("utf-8"))
        if not isinstance(read, dict) or read.get("version") != VERSION:
            return Remembered()
    except (OSError, ValueError):
        return Remembered()
    plain = asdict(Remembered())
    fitting = {name: read[name] for name, usual in plain.items() if type(read.get(name)) is type(usual)}
    views = {name: query for name, query in fitting.get("views", {}).items() if isinstance(query, str)}
    split = max(NARROWEST, min(WIDEST, fitting.get("split", plain["split"])))
    return Remembered(**{**fitting, "views": views, "split": split})


def asked_for(settings: Path, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the settings may ask for keys or a theme: to read and check all of them takes as long as a frame."""
    if any(name.startswith("JOBDESK_APP__") for name in environment):
        return True
    try:
        own = tomllib.loads(settings.read_text("utf-8")).get("app", {})
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return not isinstance(own, dict) or bool(own.get("keys") or own.get("theme"))


def remapped(actions: Sequence[Action], keys: Mapping[str, str]) -> tuple[tuple[Action, ...], list[str]]:
    """The actions with the keys that somebody wants, and what is wrong with those."""
    problems: list[str] = []
    known = [action.id for action in actions]
    wanted: dict[str, str] = {}
    for id_, given in keys.items():
        if id_ not in known:
            problems.append(f"app.keys: there is no action '{id_}'{nearest(id_, known)}")
        elif not all(part.strip() for part in given.split(",")):
            problems.append(f"app.keys.{id_}: '{given}' is no key: write one like r, ctrl+r or f5")
        else:
            wanted[id_] = ",".join(part.strip() for part in given.split(","))
    taken = {key: action.id for action in actions if action.id not in wanted for key in action.keys.split(",")}
    for id_ in list(wanted):
        clash = next((key for key in wanted[id_].split(",") if taken.get(key, id_) != id_), None)
        if clash is not None:
            problems.append(f"app.keys.{id_}: {clash} is the key of '{taken[clash]}' already: give that one another")
            del wanted[id_]
            continue
        taken.update(dict.fromkeys(wanted[id_].split(","), id_))
    return tuple(replace(one, keys=wanted.get(one.id, one.keys)) for one in actions), problems


def themes(folder: Path) -> tuple[list[Theme], list[str]]:
    """The themes in a folder, a TOML file each, and what is wrong with the others."""
    found: list[Theme] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        try:
            found.append(_theme(file.stem, tomllib.loads(file.read_text("utf-8"))))
        except (OSError, ValueError) as error:
            problems.append(f"theme {file.name}: {error}")
    return found, problems


def _theme(name: str, given: dict[str, Any]) -> Theme:
    """A theme from its file: `dark`, colours, and a table `variables` for finer ones.

    Raises:
        ValueError: a key or a colour is not known, in a sentence.
    """
    dark, variables = given.pop("dark", True), given.pop("variables", {})
    if not isinstance(dark, bool) or not isinstance(variables, dict):
        raise ValueError("dark is true or false, variables a table")
    for key in given:
        if key not in COLOURS:
            raise ValueError(f"there is no colour '{key}'{nearest(key, COLOURS)}; it takes {', '.join(COLOURS)}")
    if "primary" not in given:
        raise ValueError("give at least primary")
    for key, value in {**given, **variables}.items():
        try:
            Color.parse(str(value).split()[0])
        except (ColorParseError, IndexError):
            raise ValueError(f"{key}: '{value}' is no colour: write one like #7aa2c8") from None
    ours = DESK if dark else PAPER
    colours = {**{key: getattr(ours, key) for key in _SPEAKING}, **given}
    return Theme(name=name, dark=dark, variables={key: str(value) for key, value in variables.items()}, **colours)
