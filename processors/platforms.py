"""The platforms that pictures are made for: the named shapes of `[presets]`."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from jobdesk import Reject

from .shapes import NamedShape, OutputFormat


def _known(name: str, info: ValidationInfo) -> str:
    """A preset that exists, as far as can be said: who checks may not know the home."""
    home = (info.context or {}).get("home")
    if home is not None and name not in (there := [*_built_in(), *_own(home)]):
        raise ValueError(f"there is no platform '{name}': there are {', '.join(dict.fromkeys(there))}")
    return name


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Platforms = Annotated[
    list[Annotated[str, AfterValidator(_known)]], Field(min_length=1, max_length=50), AfterValidator(_once)
]


def shapes(
    presets: Mapping[str, Mapping[str, Any]], platforms: Sequence[str], format: OutputFormat | None
) -> list[NamedShape]:
    """What a picture is cut to: the very sizes of the platforms, also where the picture is smaller.

    Raises:
        Reject: `unknown-preset`; the settings have changed since the job was submitted.
    """
    if missing := [name for name in platforms if name not in presets]:
        raise Reject(f"[presets] has no platform {', '.join(missing)}", "unknown-preset")
    own = {"upscale": True} | ({"format": format} if format else {})
    return [NamedShape.model_validate({**presets[name], **own, "name": name}) for name in platforms]


@cache
def _built_in() -> tuple[str, ...]:
    return tuple(tomllib.loads((files("jobdesk") / "defaults.toml").read_text())["presets"])


def _own(home: Path) -> list[str]:
    try:
        return list(tomllib.loads((home / "jobdesk.toml").read_text()).get("presets", {}))
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        return []
