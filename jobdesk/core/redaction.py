"""Taking secrets out of text that is stored or shown: those that are known by value, and what looks like one.

There is one mask and one list of patterns; whatever prints, logs or keeps free text leads it through here.
"""

import base64
import json
import os
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "********"
TOKEN_MARK = "jdsecret."
TOKEN = re.compile(r"jdsecret\.[0-9a-f]{8}\.[\w=-]*")
"""A secret as it is stored: which key encrypted it, and the text that came of it. A cut one is found too."""
SHORTEST = 4
"""Letters of a value that is looked for: shorter ones stand in any text by chance."""
SHORTEST_LINE = 8
"""The same of one line of a value with several."""
SHORTEST_BASE64 = 8
"""Letters of the base64 of a value, without those that its neighbours have a part in."""
MOST_VALUES = 1000
"""Forms of values that are remembered: a child that runs for days forgets those of its first jobs."""
_PEM_LINES = 200

_WORD = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|credentials?|api[_-]?key|apikey|access[_-]?key(?:[_-]id)?|private[_-]?key"
    r"|secret[_-]?key|client[_-]?secret|signature"
)
_NAME = re.compile(rf"(?:{_WORD})s?$", re.I)
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"',;&)}\]]+)"""
_HEADER = r"""(?:proxy-)?authorization["']?"""
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MASK),
    (re.compile(rf"\b({_HEADER}\s*[:=]\s*[\"']?(?:(?:basic|bearer|digest|token)\s+)?)[^\s\"',]+", re.I), rf"\1{MASK}"),
    (re.compile(r"\b((?:set-)?cookie:\s*)\S.*", re.I), rf"\1{MASK}"),
    (re.compile(r"\b((?:bearer|basic)\s+)[\w.~+/-]{12,}=*", re.I), rf"\1{MASK}"),
    (re.compile(r"://([^\s/:@'\"]{0,256}):([^\s/'\"]{1,1024})@"), rf"://\1:{MASK}@"),
    (re.compile(rf"""((?:{_WORD})["']?\s*(?:==?|:)\s*)(?!\$\{{env:){_VALUE}""", re.I), rf"\1{MASK}"),
    (re.compile(rf"((?<!-)-++[\w-]{{0,40}}?(?:{_WORD})\s+)(?!-){_VALUE}", re.I), rf"\1{MASK}"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MASK),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"), MASK),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|(?<=hooks\.slack\.com/services/)[\w/]+"), MASK),
    (re.compile(r"\b[rs]k[-_](?:live_|test_|proj-|ant-)?[\w-]{16,}|\bAIza[\w-]{35}"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"), MASK),
)  # fmt: skip
_HINT = re.compile(
    r"pass|pwd|secret|token|credential|key|authoriz|cookie|bearer|basic|signature|://|akia|asia|gh[pousr]_|github_pat"
    r"|glpat|xox|[rs]k[-_]|aiza|eyj",
    re.I,
)
"""Most text has none of these, and is done with."""
_BEGIN, _END = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


def patterns(text: str) -> str:
    """The text without what looks like a secret, whoever's it is."""
    if _HINT.search(text) is None:
        return text
    text = TOKEN.sub(MASK, text)
    for pattern, masked in _PATTERNS:
        text = pattern.sub(masked, text)
    return text


def names_a_secret(key: str) -> bool:
    """Whether a value under this key is one by its name: `smtp_password`, `token`; not `max_tokens_left`."""
    return _NAME.search(key) is not None


class Redactor:
    """Knows values that must not appear. Any thread may use it."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: dict[str, bool] = {}
        """How values are written, the oldest first, and whether they are always known."""
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        for value in values:
            self.know(value)

    def know(self, value: Any, *, always: bool = False) -> None:
        """Hide a value from now on: text, or each text in a list or table; also as JSON, Python and URLs write it.

        Args:
            always: it is never forgotten, as the secrets of the settings, which are the same for all jobs.
        """
        forms = dict.fromkeys((form for text in _texts(value) for form in _forms(text)), always)
        with self._lock:
            if all(form in self._values and (self._values[form] or not always) for form in forms):
                return
            known = self._values | {form: always or self._values.get(form, False) for form in forms}
            passing = [form for form, lasts in known.items() if not lasts and form not in forms]
            for form in passing[: max(0, len(known) - MOST_VALUES)]:
                del known[form]
            self._values = known
            longest_first = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def known(self, text: str) -> str:
        """The text without the values that are known."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def text(self, text: str) -> str:
        """The text without known values and what looks like one."""
        return patterns(self.known(text))

    def value(self, value: Any) -> Any:
        """A JSON value without known values in its texts and keys; itself if there is none."""
        if self._pattern is None or self._pattern.search(json.dumps(value, ensure_ascii=False)) is None:
            return value
        return _mapped(value, self.known)


everywhere = Redactor()
"""What this process knows: secrets of the settings, and those that jobs in it have revealed."""


def redact(text: str) -> str:
    """The text as it may be stored, logged or printed by this process."""
    return everywhere.text(text)


class RedactedLines:
    """Redacts text that comes line by line: what stands between the ends of a private key is hidden too."""

    def __init__(self) -> None:
        self._left = 0

    def line(self, text: str) -> str:
        if self._left:
            self._left = 0 if _END.search(text) else self._left - 1
            return MASK
        if _BEGIN.search(text) and not _END.search(text):
            self._left = _PEM_LINES
        return redact(text)


def shown(value: Any, *, names: bool = True) -> Any:
    """A JSON value as people and programs may see it: sealed secrets and what looks like one are masked.

    Args:
        names: values are masked by the names of their keys too (`{"password": …}`), as in payloads and settings.
    """
    if isinstance(value, Mapping):
        return {
            key: MASK if names and isinstance(one, str) and _hidden(str(key), one) else shown(one, names=names)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [shown(one, names=names) for one in value]
    return redact(value) if isinstance(value, str) else value


def restored(edited: Any, stored: Any) -> Any:
    """What a person edited, with what stood masked before their eyes and still does put back as it is stored."""
    if isinstance(edited, Mapping) and isinstance(stored, Mapping):
        masked = shown(stored)
        return {
            key: stored[key] if key in stored and one == masked[key] else restored(one, stored.get(key))
            for key, one in edited.items()
        }
    if isinstance(edited, list) and isinstance(stored, list) and len(edited) == len(stored):
        return [restored(one, old) for one, old in zip(edited, stored, strict=True)]
    return stored if edited == shown(stored) else edited


def _hidden(key: str, value: str) -> bool:
    return bool(value) and not value.startswith("${env:") and names_a_secret(key)


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        return {change(key) if isinstance(key, str) else key: _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if value is not None and not isinstance(value, bool):
            yield str(value)
        return
    for one in value:
        yield from _texts(one)


def _forms(text: str) -> Iterable[str]:
    """How a value may stand in a text. Paths and the like are hidden too where somebody calls them secret."""
    if len(text) < SHORTEST:
        return
    lines = [one.strip() for one in text.splitlines()] if "\n" in text.strip() else []
    for one in (text, text.strip(), *(line for line in lines if len(line) >= SHORTEST_LINE)):
        if len(one) >= SHORTEST:
            yield from (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1], repr(one)[1:-1])
            yield from (quote(one), quote(one, safe=""), quote_plus(one), one.replace(os.linesep, "\\n"))
            yield from (ascii(one)[1:-1], repr(one.encode("utf-8", "replace"))[2:-1], *_base64(one))


def _base64(text: str) -> Iterable[str]:
    """A value as it stands in the base64 of a text that it is a part of, wherever in it: there are three ways."""
    data = text.encode("utf-8", "replace")
    for before in range(3):
        bits = 8 * (before + len(data))
        own = base64.b64encode(bytes(before) + data)[-(-8 * before // 6) : bits // 6].decode()
        if len(own) >= SHORTEST_BASE64:
            yield from (own, own.replace("+", "-").replace("/", "_"))
