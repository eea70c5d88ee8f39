"""What a job is about, in one short string for lists: a file name, a recipient, a command."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jobdesk.core.redaction import names_a_secret, redact

LONGEST = 80
"""Characters of a subject; a longer one ends in an ellipsis."""

_NAMES = (
    "name", "filename", "fileName", "originalName", "original_name", "title",
    "source", "path", "file", "sourceUrl", "source_url", "url", "imageUrl",
    "to", "recipient", "email", "command", "prompt", "query", "subject", "message", "text", "folder",
    "upload_id", "uploadId", "id",
)  # fmt: skip
_PLACES = frozenset({"source", "path", "file", "sourceUrl", "source_url", "url", "imageUrl", "folder"})
_PAIR = re.compile(r'"([A-Za-z_]\w*)"\s*:\s*("(?:[^"\\]|\\.)*"|\[(?:\s*"(?:[^"\\]|\\.)*"\s*,?)*\])')


def subject(data: Mapping[str, Any]) -> str:
    """The most telling value of a payload, "" if there is none."""
    for name in _NAMES:
        if name in data and (said := _said(name, data[name])):
            return said
    return next((said for name, value in data.items() if not names_a_secret(name) and (said := _said(name, value))), "")


def subject_of_text(text: str) -> str:
    """The same, of a payload as JSON text, which may be cut off."""
    try:
        data = json.loads(text)
    except ValueError:
        data = {}
        for name, value in _PAIR.findall(text):
            try:
                data.setdefault(name, json.loads(value))
            except ValueError:
                continue
    return subject(data) if isinstance(data, dict) else ""


def _said(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(part, str | int | float) for part in value):
        value = " ".join(map(str, value))
    if not isinstance(value, str):
        return ""
    value = redact(value)
    if name in _PLACES:
        place = value.partition("?")[0].partition("#")[0] if "://" in value[:12] else value
        value = place.rstrip("/").rpartition("/")[2] or value
    line = " ".join(_printable(value[: 4 * LONGEST]).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)
