"""Hiding secrets in what is shown or written down: values whose name sounds like one, logins in addresses."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "********"
_SECRETS = ("password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "access_key", "credential")
_LONGEST = 2_000
"""Characters of a command line that are kept."""


def sounds_secret(name: str) -> bool:
    """Whether a key's name says that its value is a secret."""
    return any(word in name.lower().replace("-", "_") for word in _SECRETS)


def masked(value: Any, name: str = "") -> Any:
    """The same without secrets: values of keys that sound like one, and what stands before the @ of an address."""
    if isinstance(value, Mapping):
        return {key: masked(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one, name) for one in value]
    if not isinstance(value, str) or not value or value.startswith("${env:"):
        return value
    if sounds_secret(name):
        return MASK
    scheme, slashes, rest = value.partition("://")
    login, at, host = rest.partition("@")
    if slashes and at and ":" in login and "/" not in login:
        return f"{scheme}://{login.partition(':')[0]}:{MASK}@{host}"
    return value


def masked_words(words: Sequence[str]) -> str:
    """A command line as it may be written down: quoted, shortened, without secrets.

    Masked are `--token X`, `--token=X`, `key=value` and JSON objects by their names; JSON that cannot be read is all.
    """
    shown, name = list[str](), ""
    for word in words:
        shown.append(shlex.quote(_word(word, name)))
        name = word.lstrip("-") if word.startswith("--") and "=" not in word else ""
    text = " ".join(shown)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _word(word: str, name: str) -> str:
    if word.startswith(("{", "[")):
        try:
            return json.dumps(masked(json.loads(word)), ensure_ascii=False)
        except ValueError:
            return MASK
    if found := re.fullmatch(r"(-{0,2}[\w.-]+)=(.*)", word, re.DOTALL):
        value = found[2]
        return f"{found[1]}={_word(value, found[1].rpartition('.')[2].lstrip('-'))}"
    return str(masked(word, name))
