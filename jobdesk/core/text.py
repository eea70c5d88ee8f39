"""Text and JSON that can always be stored: file names and foreign output may hold what UTF-8 cannot."""

import json
import re
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
from_json = json.JSONDecoder().decode
"""`json.loads` without its guess at the encoding, which takes as long as a short text."""


def clean(text: str) -> str:
    """The text with what cannot be stored (lone surrogates, as in names that are no UTF-8) written as \\udc80."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def without_colours(text: str) -> str:
    """The text without the sequences that colour it on a terminal, which logs of programs may hold."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def to_json(value: Any) -> str:
    """A value as JSON that can be stored. Lone surrogates stay escapes, so that it reads back as it was.

    Raises:
        TypeError, ValueError: it is not a JSON value; NaN and infinity are none.
    """
    return clean(_encode(value))
