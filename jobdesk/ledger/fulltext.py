"""The index of words: what it holds of a job, and how the ledger knows what it does not hold.

Storing, claiming and completing a job do not touch it: `ledger.indexing` fills it later, in order of seq, up
to a mark. What of the jobs below the mark has changed or gone since is kept in `outdated` as it was, by
trigger: the index, less what is outdated, is right for every job up to the mark, and the few others are read
themselves. So a search is exact whatever the state of the index. (The mark is never above the newest job,
as its seq may be given out again; what the index holds above the mark is all outdated.)

FTS5 is given words that are cut and folded here, so that an index and a row can be asked the same question;
it keeps no text and no positions (some 60 bytes a job). Beside words it holds, each with a letter of its own in front,

- the end of the job's id, from behind, and
- every three letters in a row of its error's type and message, which are searched for parts of words.
"""

import re
from collections.abc import Iterable

from jobdesk.core.words import holds, needle, without_escapes, words

MARK = "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'fulltext')"
"""The seq up to which jobs are indexed, as SQL."""
COLUMNS = "id, data, error_type, error_message, error_traceback"
"""What the index is made from."""
LONGEST = 40
"""Letters of a word that are indexed."""
TAIL = 8
"""Letters of an id's end that are indexed: as many as lists show."""
_TOP = "(SELECT ifnull(max(seq), 0) FROM job)"
_ID, _PART = "\ue100", "\ue101"

MIGRATION = """
CREATE VIRTUAL TABLE fulltext USING fts5(words, content='', columnsize=0, detail=none, tokenize='ascii');
-- Segments are merged a few pages at a time by the indexer, never all at once by the one who comes too late.
INSERT INTO fulltext (fulltext, rank) VALUES ('automerge', 0);
INSERT INTO fulltext (fulltext, rank) VALUES ('crisismerge', 500);
INSERT INTO meta (key, value) VALUES ('fulltext', '0');

-- What the index holds of jobs that have changed or gone since.
CREATE TABLE outdated (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL, data TEXT NOT NULL, error_type TEXT, error_message TEXT, error_traceback TEXT
);
"""

_NOW, _THEN = (", ".join(f"{row}.{name}" for name in COLUMNS.split(", ") if name != "id") for row in ("new", "old"))
_KEEP = f"INSERT INTO outdated SELECT old.seq, old.id, {_THEN} WHERE old.seq <= {MARK} ON CONFLICT DO NOTHING"

# For the triggers of `ledger.tables`.
ON_REWORDED = (
    f"AFTER UPDATE OF data, error_type, error_message, error_traceback ON job WHEN ({_THEN}) IS NOT ({_NOW})",
    [_KEEP],
)
ON_GONE = [_KEEP, f"UPDATE meta SET value = {_TOP} WHERE key = 'fulltext' AND {MARK} > {_TOP}"]


def has_words(data: str, type_: str | None, message: str | None, traceback: str | None, wanted: str) -> bool:
    """Whether a job with these columns has a needle: what SQL asks of a row that is read itself."""
    if holds(without_escapes(data), wanted):
        return True
    return any(text is not None and holds(text, wanted) for text in (type_, message, traceback))


def entry(id_: str, data: str, type_: str | None, message: str | None, traceback: str | None) -> str:
    """What the index holds of a job with these columns."""
    found = {word[:LONGEST] for word in words(without_escapes(data))}
    found.add(_tail(id_))
    for text in (type_, message, traceback):
        if text:
            found.update(word[:LONGEST] for word in words(text))
    for text in (type_, message):
        if text:
            found.update(_parts(text))
    return " ".join(found)


def match_words(values: Iterable[str]) -> str:
    """What to ask FTS5 for rows that have one of these values of a `text:`; it may give too many (see `is_exact`)."""
    return _any(_all(_tokens(needle(value))) for value in values)


def is_exact(value: str) -> bool:
    """Whether the index alone can say which jobs have a value of a `text:`."""
    wanted = needle(value)
    return len(wanted) < LONGEST and len(_tokens(wanted)) == 1


def match_parts(values: Iterable[str]) -> str | None:
    """The same for parts of an error's type or message; None if a value is too short for the index. Gives too many."""
    asked = [[part for piece in re.split(r"[*?]+", value) for part in _parts(piece, 3)] for value in values]
    return _any(_all(f'"{part}"' for part in sorted(set(parts))) for parts in asked) if all(asked) else None


def match_tail(value: str) -> str:
    """The same for jobs whose id ends in this; gives too many if it is longer than `TAIL`."""
    return f'"{_tail(value)}"*'


def _tokens(wanted: str) -> list[str]:
    found = [f'"{word[:LONGEST]}"' for word in wanted.split()]
    return found if wanted.endswith(" ") else [*found[:-1], found[-1] + "*"]


def _tail(id_: str) -> str:
    return _ID + _spelled(id_[: -TAIL - 1 : -1])


def _parts(text: str, step: int = 1) -> set[str]:
    """Every three letters in a row; with a step of 3 only so many that each letter is in one: found sooner."""
    made = _spelled(text)
    last = len(made) - 3
    return {_PART + made[at : at + 3] for at in (*range(0, last, step), last)} if last >= 0 else set()


def _spelled(text: str) -> str:
    """The text as FTS5 takes for one word; small and capital letters of ASCII are alike, as in LIKE."""
    plain = text.encode().lower().decode()
    return "".join(one if one.isalnum() or not one.isascii() else chr(0xE000 + ord(one)) for one in plain)


def _all(tokens: Iterable[str]) -> str:
    return f"({' AND '.join(tokens)})"


def _any(asked: Iterable[str]) -> str:
    return f"({' OR '.join(asked)})"
