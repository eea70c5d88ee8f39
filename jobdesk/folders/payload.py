"""What the job of a dropped file is given: the file, and the rule's data with the parts of its path put in.

Templates are {name} {stem} {suffix} {folder} {parts[0]} {relative} {size} {sha256} {modified}; a brace that begins
none is written twice. A value that is exactly one template keeps its kind; a key whose value would be a part that the
path has not is left out, so that the type's own default holds.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jobdesk.core.names import shown
from jobdesk.core.nearest import nearest

KNOWN = ("name", "stem", "suffix", "folder", "parts", "relative", "size", "sha256", "modified")
_TOKEN = re.compile(r"(?P<variable>\$\{env:\w+\})|\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_PART = re.compile(r"parts\[(\d{1,2})\]")


def check(data: Any) -> None:
    """See that all templates in the data are right.

    Raises:
        ValueError: one is not; the message quotes it.
    """
    _filled(data, None)


def fill(data: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The data with the facts of one file put in."""
    filled = {key: _filled(value, facts) for key, value in data.items()}
    return {key: value for key, value in filled.items() if value is not None or data[key] is None}


def fixed(value: Any) -> Any:
    """What a value is for every file; None if a template or `${env:NAME}` leaves that to each."""
    return None if _is_open(value) else _filled(value, {})


def facts(path: bytes, *, size: int | None, sha256: str | None, mtime_ns: int) -> dict[str, Any]:
    """What can be said of a file that lay at this path below its folder."""
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    return {
        "name": shown(name),
        "stem": shown(stem),
        "suffix": shown(suffix),
        "folder": shown(folder),
        "parts": [shown(part) for part in folder.split(b"/") if part],
        "relative": shown(path),
        "size": size,
        "sha256": sha256,
        "modified": _iso(mtime_ns),
    }


def _iso(mtime_ns: int) -> str | None:
    try:
        return datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # a file system may say anything
        return None


def _is_open(value: Any) -> bool:
    if isinstance(value, str):
        return any(token["name"] is not None or token["variable"] for token in _TOKEN.finditer(value))
    if isinstance(value, Mapping | list | tuple):
        return any(map(_is_open, value.values() if isinstance(value, Mapping) else value))
    return False


def _filled(value: Any, known: Mapping[str, Any] | None) -> Any:
    if isinstance(value, str):
        return _text(value, known)
    if isinstance(value, Mapping):
        return {key: _filled(one, known) for key, one in value.items()}
    if isinstance(value, list | tuple):
        filled = [_filled(one, known) for one in value]
        return [one for one, was in zip(filled, value, strict=True) if one is not None or was is None]
    return value


def _text(text: str, known: Mapping[str, Any] | None) -> Any:
    if "{" not in text and "}" not in text:
        return text
    pieces: list[Any] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        end = token.end()
        name = token["name"]
        if token[0] in ("{{", "}}"):
            pieces.append(token[0][0])
        elif token["variable"]:
            pieces.append(token[0])  # a secret's place: it is filled in elsewhere
        elif name is None:
            raise ValueError(f"a single {token[0]} begins or ends no template: write {token[0] * 2} for the brace")
        else:
            value = _fact(name.strip(), known)
            if token[0] == text:
                return value
            pieces.append("" if value is None else str(value))
    return "".join([*pieces, text[end:]])


def _fact(name: str, known: Mapping[str, Any] | None) -> Any:
    part = _PART.fullmatch(name)
    if part is None and name not in KNOWN[:4] + KNOWN[5:]:
        raise ValueError(
            f"'{{{name}}}' is not a template{nearest(name, KNOWN)}; there are "
            + " ".join(f"{{{one}}}" if one != "parts" else "{parts[0]}" for one in KNOWN)
        )
    if known is None:
        return None
    if part is None:
        return known[name]
    parts = known["parts"]
    return parts[int(part[1])] if int(part[1]) < len(parts) else None
