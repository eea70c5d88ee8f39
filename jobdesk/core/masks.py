"""Hiding secrets in a command line that is written down."""

import json
import re
import shlex
from collections.abc import Sequence

from jobdesk.core.redaction import MASK, shown

_LONGEST = 2_000
"""Characters of a command line that are kept."""


def masked_words(words: Sequence[str]) -> str:
    """A command line as it may be written down: quoted, shortened, without secrets.

    Masked are `--token X`, `--token=X`, `key=value` and JSON objects by their names, all else by what it looks like;
    JSON that cannot be read is all.
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
            return json.dumps(shown(json.loads(word)), ensure_ascii=False)
        except ValueError:
            return MASK
    if found := re.fullmatch(r"(-{0,2}[\w.-]+)=(.*)", word, re.DOTALL):
        value = found[2]
        return f"{found[1]}={_word(value, found[1].rpartition('.')[2].lstrip('-'))}"
    return str(shown({name: word})[name])
