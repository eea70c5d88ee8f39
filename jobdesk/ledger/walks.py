"""Walks: the ways to some jobs in order of seq that a plan merges. Those through the index of words are made here.

What the index does not hold yet, or no longer rightly, is walked row by row beside it; no job is on two walks.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core.terms import Term
from jobdesk.ledger import fulltext
from jobdesk.ledger.conditions import ENDING, Condition, condition, ends_like, has_error, like, piece_of_id, prefix
from jobdesk.ledger.database import Ledger

WALKS = 40
"""Values of one column that are merged at the most; SQLite allows 500 terms of a compound."""
FEW = 5_000
"""Rows that an index out of order may give: they are sorted by seq."""
LOOKED_AT = 20_000
"""Hits of the index that are counted to judge it (some 0.06 ms a thousand)."""
BY_ID = "job j INDEXED BY sqlite_autoindex_job_1"


@dataclass(frozen=True, slots=True)
class Walk:
    """One way: a table with its index, and the condition that it answers."""

    source: str
    where: str
    values: list[Any]
    asks: list[Condition] = field(default_factory=list)
    """What is asked of each row on this walk only."""
    key: str = "j.seq"
    job: str = ""
    """How `source` is joined to `job j`, if it need not be to know the seq."""

    def select(self, columns: str, conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
        """SELECT of these rows that fulfil conditions, as SQL and values; `columns` may need the job."""
        job = self.job if "j." in columns or any("j." in sql for sql, _ in conditions) else ""
        asked = "".join(f" AND {sql}" for sql, _ in conditions)
        values = [value for _, given in conditions for value in given]
        return (
            f"SELECT {self.key} AS seq{columns} FROM {self.source}{job} WHERE {self.where}{asked}",
            [*self.values, *values],
        )


@dataclass(frozen=True, slots=True)
class Way:
    """Walks that together give all jobs of some terms; about how many rows, and whether they are cheap to count."""

    walks: list[Walk]
    answers: list[Term]
    rows: float
    cheap: bool


def by_words(ledger: Ledger, terms: Sequence[Term], most: float) -> Way | None:
    """By the index of words, for all `text:` and `error:` at once; None if that has no less than `most` rows."""
    asked, matches, sure = list[Term](), list[str](), list[Condition]()
    for term in terms:
        match = None
        if not term.negated and term.field == "text":
            match = fulltext.match_words(term.values)
            exact = all(map(fulltext.is_exact, term.values))
        elif not term.negated and term.field == "error":
            match, exact = fulltext.match_parts(term.values), False
        if match is not None:
            asked.append(term)
            matches.append(match)
            sure += [] if exact else [condition(term, 0.0)]
    if not asked:
        return None
    match = " AND ".join(matches)
    rows, aside = _hits(ledger, match, most), _aside(ledger)
    if rows is None or rows + aside >= most:
        return None
    walks = _indexed(match, sure, [condition(term, 0.0) for term in asked])
    return Way(walks, asked, rows + aside, not sure and aside <= LOOKED_AT)


def by_bare_word(ledger: Ledger, term: Term, kinds: Sequence[str], total: int, most: float) -> Way | None:
    """By the indexes of types, ids and words, for a bare word; None if that has no less than `most` rows.

    Args:
        kinds: every job type in use.
    """
    (value,) = term.values
    parts = fulltext.match_parts([value])
    if term.negated or term.field or parts is None:
        return None
    types = _alike(ledger, kinds, value)
    if len(types) > WALKS:
        return None
    walks = [Walk("job j INDEXED BY job_type", "j.type = ?", [kind]) for kind in types]
    apart: list[Condition] = [("j.type NOT IN (SELECT value FROM json_each(?))", [json.dumps(types)])] if types else []
    sql, values = has_error(value)
    if (piece := piece_of_id(value)) is not None:
        ends = list(prefix("id", piece))
        if (found := few(ledger, f"{BY_ID} WHERE j.id >= ? AND j.id < ?", ends)) is None:
            return None
        walks += [Walk(BY_ID, "j.id >= ? AND j.id < ?", ends, list(apart))] if found else []
        apart.append(("NOT (j.id >= ? AND j.id < ?)", ends))
        if len(piece) >= ENDING:
            parts = f"{parts} OR {fulltext.match_tail(piece)}"
            ending, more = ends_like(piece)
            sql, values = f"{sql} OR {ending}", [*values, *more]
    hits = _hits(ledger, parts, most)
    if hits is None:
        return None
    # types are not counted: taken for evenly spread
    rows = hits + _aside(ledger) + total * len(types) / (len(kinds) or 1)
    asks = [*apart, (f"({sql})", values)]
    return Way([*walks, *_indexed(parts, asks, asks)], [term], rows, False) if rows < most else None


def few(ledger: Ledger, source: str, values: Sequence[Any]) -> int | None:
    """How many rows an index gives; None if they are more than `FEW`."""
    row = ledger.row(f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT ?)", (*values, FEW + 1))
    assert row is not None
    return int(row[0]) if row[0] <= FEW else None


def _indexed(match: str, sure: list[Condition], asked: list[Condition]) -> list[Walk]:
    """Walks of what the index finds, of what it does not hold yet, and of what it holds wrongly.

    Args:
        sure: what is asked of a hit.
        asked: what is asked of the others.
    """
    current = "x.fulltext MATCH ? AND NOT EXISTS (SELECT 1 FROM outdated o WHERE o.seq = x.rowid)"
    return [
        Walk("fulltext x", current, [match], sure, "x.rowid", " CROSS JOIN job j ON j.seq = x.rowid"),
        Walk("job j NOT INDEXED", f"j.seq > {fulltext.MARK}", [], asked),
        Walk("outdated o CROSS JOIN job j ON j.seq = o.seq", f"o.seq <= {fulltext.MARK}", [], asked, "o.seq"),
    ]


def _hits(ledger: Ledger, match: str, most: float) -> int | None:
    """How many jobs the index finds, counted up to `LOOKED_AT`; None if not less than `most`."""
    row = ledger.row(
        "SELECT count(*) FROM (SELECT 1 FROM fulltext WHERE fulltext MATCH ? LIMIT ?)",
        (match, int(min(most, LOOKED_AT))),
    )
    assert row is not None
    return int(row[0]) if row[0] < most else None


def _aside(ledger: Ledger) -> int:
    """About how many jobs the index does not hold rightly."""
    row = ledger.row(
        f"SELECT max(0, ifnull((SELECT max(seq) FROM job), 0) - {fulltext.MARK}) "
        "+ (SELECT count(*) FROM (SELECT 1 FROM outdated LIMIT ?))",
        (LOOKED_AT,),
    )
    assert row is not None
    return int(row[0])


def _alike(ledger: Ledger, kinds: Sequence[str], value: str) -> list[str]:
    sql, values = like("value", f"*{value}*")
    return [
        str(kind)
        for (kind,) in ledger.rows(f"SELECT value FROM json_each(?) WHERE {sql}", [json.dumps(kinds), *values])
    ]
