"""Hiding secrets in a command line that is written down."""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from jobdesk.core.redaction import MASK, shown

_LONGEST = 2_000
"""Characters of a command line that are kept."""


def masked_words(words: Sequence[str]) -> str:
    """A command line as it may be written down: quoted, shortened, without secrets.

    Masked are all values of `key=value`, `key:=value` and JSON, since only the job's type says which of them is secret;
    `--token X` and `--token=X` by their names, all else by what it looks like. JSON that cannot be read is all.
    """
    told, name = list[str](), ""
    for word in words:
        told.append(shlex.quote(_word(word, name)))
        name = word.lstrip("-") if word.startswith("--") and "=" not in word else ""
    text = " ".join(told)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _word(word: str, name: str) -> str:
    if word.startswith(("{", "[")):
        try:
            return json.dumps(_emptied(json.loads(word)), ensure_ascii=False)
        except ValueError:
            return MASK
    if pair := re.fullmatch(r"(\w[\w.-]*:?)=.*", word, re.DOTALL):
        return f"{pair[1]}={MASK}"
    if option := re.fullmatch(r"(-{1,2}[\w.-]+)=(.*)", word, re.DOTALL):
        return f"{option[1]}={_word(option[2], option[1].rpartition('.')[2].lstrip('-'))}"
    return str(shown({name: word})[name])


def _emptied(value: Any) -> Any:
    """JSON with its keys alone."""
    if isinstance(value, dict):
        return {key: _emptied(one) for key, one in value.items()}
    return [_emptied(one) for one in value] if isinstance(value, list) else MASK
