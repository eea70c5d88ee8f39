"""What a word is to the search in texts: letters and digits, without regard to case and accents.

The index of the ledger holds what this gives: to change it means to build the index anew, by a migration.
"""

import re
import unicodedata

from jobdesk.core.redaction import TOKEN, TOKEN_MARK

_WORD = re.compile(r"[^\W_]+")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


def folded(text: str) -> str:
    """The text as words are compared."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)  # file names of a Mac write accents as letters of their own
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(folded(text))


def without_escapes(data: str) -> str:
    """JSON with a space for each escape and encrypted secret: `a\\nb` has two words."""
    if TOKEN_MARK in data:  # no words
        data = TOKEN.sub(" ", data)
    return _ESCAPE.sub(" ", data) if "\\" in data else data


def needle(value: str) -> str:
    """What `holds` looks for: the words of a value side by side; a `*` at its end lets the last one go on.

    Raises:
        ValueError: it has no word, or a wildcard elsewhere.
    """
    stem = value.removesuffix("*")
    if "*" in stem or "?" in stem:
        raise ValueError(f"'{value}' has a wildcard before its end, and words are found by their beginning")
    found = words(stem)
    if not found:
        raise ValueError(f"'{value}' has no letter or digit to look for")
    open_end = value.endswith("*") and folded(stem).endswith(found[-1])
    return f" {' '.join(found)}{'' if open_end else ' '}"


def holds(text: str, wanted: str) -> bool:
    """Whether a text holds a needle."""
    plain = folded(text)
    # most texts lack one of the words, and looking for it costs far less than cutting all
    return all(word in plain for word in wanted.split()) and wanted in f" {' '.join(_WORD.findall(plain))} "
