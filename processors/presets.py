"""Names of `[presets]`, checked when a job is submitted, as far as can be said: who checks may not know the home."""

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import AfterValidator, ValidationInfo

from jobdesk import Reject


def named(word: str) -> AfterValidator:
    """Takes the name of a preset that exists; `word` is what messages call one."""

    def known(name: str, info: ValidationInfo) -> str:
        home = (info.context or {}).get("home")
        if home is not None and name not in (there := dict.fromkeys([*_built_in(), *_own(home)])):
            like = difflib.get_close_matches(name, there, 1)
            raise ValueError(
                f"it should be a {word} like '{like[0]}'" if like else f"it should be one of {', '.join(there)}"
            )
        return name

    return AfterValidator(known)


def shape_of(known: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The shape that `[presets]` has under a name.

    Raises:
        Reject: `unknown-preset`; it has none any more.
    """
    if name not in known:
        raise Reject(
            f"[presets] has no '{name}' any more: the settings have changed since the job was submitted",
            "unknown-preset",
        )
    return known[name]


@cache
def _built_in() -> tuple[str, ...]:
    return tuple(tomllib.loads((files("jobdesk") / "defaults.toml").read_text())["presets"])


def _own(home: Path) -> list[str]:
    try:
        return list(tomllib.loads((home / "jobdesk.toml").read_text()).get("presets", {}))
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        return []
