"""How to find the jobs of a query: which index to walk, and what to ask of each row.

SQLite is told which index to use (INDEXED BY): its own guess may sort a hundred thousand rows to
show fifty. Several values of one column become one walk each, merged by seq. What the user
wrote reaches SQL only as bound values.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from jobdesk.core.job import DEAD, State
from jobdesk.core.terms import Query, Term, glob
from jobdesk.ledger.conditions import Condition, condition, matches, prefix
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.walks import BY_ID, WALKS, Walk, by_bare_word, by_words, few

_EACH = Walk("job j NOT INDEXED", "1", [])
_INDEX = {"state": "job_state", "queue": "job_queue", "type": "job_type"}
_PREFIX_INDEX = {
    "id": (BY_ID, "j.id >= ? AND j.id < ?"),
    "flow": ("job j INDEXED BY job_flow", "j.flow >= ? AND j.flow < ?"),
    "fingerprint": (
        "job j INDEXED BY job_error",
        "j.state IN ('failed', 'expired') AND j.error_fingerprint >= ? AND j.error_fingerprint < ?",
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A chosen way. No walks: no job matches. `counted` is how many match, if the counters know it."""

    walks: list[Walk]
    rest: list[Condition] = field(default_factory=list)
    """What is asked of each row."""
    counted: int | None = None
    everything: bool = False
    covered: bool = True
    """Whether indexes alone answer it, so that counting costs little."""

    @property
    def nothing(self) -> bool:
        return not self.walks

    def sql(
        self, *, limit: int, before: int | None = None, after: int | None = None, offset: int = 0
    ) -> tuple[str, list[Any]]:
        """SELECT of `seq`, newest first; with `after` the next newer ones, oldest of them first."""
        parts, values = list[str](), list[Any]()
        for walk in self.walks:
            asked = [] if before is None else [(f"{walk.key} < ?", [before])]
            asked += [] if after is None else [(f"{walk.key} > ?", [after])]
            sql, given = walk.select("", [*asked, *self.rest, *walk.asks])
            parts.append(sql)
            values += given
        order = "DESC" if after is None else "ASC"
        return f"{' UNION ALL '.join(parts)} ORDER BY seq {order} LIMIT ? OFFSET ?", [*values, limit, offset]

    def examine(self, limit: int) -> tuple[str, list[Any]]:
        """SELECT of `hit` (1 or 0) for the newest `limit` rows on the way."""
        parts, values = list[str](), list[Any]()
        for walk in self.walks:
            asked = [*self.rest, *walk.asks]
            hit = " AND ".join(f"ifnull({sql}, 0)" for sql, _ in asked) or "1"
            sql, given = walk.select(f", ({hit}) AS hit", [])
            parts.append(sql)
            values += [*(value for _, more in asked for value in more), *given]
        return f"SELECT hit FROM ({' UNION ALL '.join(parts)} ORDER BY seq DESC LIMIT ?)", [*values, limit]


def plan(ledger: Ledger, query: Query) -> Plan:
    """Choose the way; reads only counters and the tops of indexes."""
    tally = ledger.rows("SELECT queue, state, n FROM tally")
    states = _allowed(query, "state", list(State))
    queues = _allowed(query, "queue", {queue for queue, _, _ in tally})
    counted = sum(
        n for queue, state, n in tally if (states is None or state in states) and (queues is None or queue in queues)
    )
    if not counted:
        return Plan([])
    if not query:
        return Plan([_EACH], counted=counted, everything=True)
    others = [term for term in query.terms if term.field not in _INDEX]
    typed = any(term.field == "type" for term in query.terms)
    kinds = _types(ledger) if typed else []
    types = _allowed(query, "type", kinds)
    if typed and not types:
        return Plan([])

    among = {"state": states, "queue": queues, "type": types}
    total = sum(n for _, _, n in tally)
    sizes = {
        "": total,
        "state": sum(n for _, state, n in tally if state in (states or ())),
        "queue": sum(n for queue, _, n in tally if queue in (queues or ())),
        "type": total * len(types or ()) / (len(kinds) or 1),  # not counted: taken for evenly spread
    }
    column = min(
        (name for name in sizes if not name or 0 < len(among[name] or ()) <= WALKS),
        key=lambda name: (sizes[name], not name),
    )
    walks = [_EACH]
    if column:
        walks = [_walk(column, value) for value in among[column] or ()]
    answered: list[Term] = []  # terms that the walks answer by themselves
    covered = True
    for term in others:
        found = _narrow(ledger, term, states)
        if found is not None:
            walks, column, answered = found, "", [term]
            break
    else:
        way = by_words(ledger, others, sizes[column])
        bare = [term for term in others if not term.field and not term.negated]
        if way is None and bare:
            way = by_bare_word(ledger, bare[0], kinds or _types(ledger), total, sizes[column])
        if way is not None:
            walks, column, answered, covered = way.walks, "", way.answers, way.cheap
    rest = [_within(name, values) for name, values in among.items() if values is not None and name != column]
    rest += [condition(term, ledger.clock.now()) for term in others if term not in answered]
    return Plan(walks, rest, None if others or typed else counted, covered=covered and not rest)


def _allowed(query: Query, field_: str, known: Collection[str]) -> list[str] | None:
    """Which of the known values the terms of a field leave; None if it has no terms."""
    terms = [term for term in query.terms if term.field == field_]
    if not terms:
        return None
    return sorted(
        word
        for word in map(str, known)
        if all(any(matches(value, word) for value in term.values) != term.negated for term in terms)
    )


def _types(ledger: Ledger) -> list[str]:
    """Every job type in use: one look into the index each."""
    rows = ledger.rows(
        "WITH RECURSIVE kind (name) AS (SELECT min(type) FROM job UNION ALL "
        "SELECT (SELECT min(type) FROM job WHERE type > kind.name) FROM kind WHERE kind.name IS NOT NULL) "
        "SELECT name FROM kind WHERE name IS NOT NULL"
    )
    return [name for (name,) in rows]


def _within(name: str, values: list[str]) -> Condition:
    return f"j.{name} IN (SELECT value FROM json_each(?))", [json.dumps(values)]


def _walk(column: str, value: str) -> Walk:
    """The jobs with one value of a column that has an index."""
    if (column, value) == ("state", State.PROCESSING):
        return Walk("job j INDEXED BY job_running", "j.state = 'processing'", [])
    where = f"j.{column} = ?" + (" AND j.state <> 'processing'" if column == "state" else "")
    return Walk(f"job j INDEXED BY {_INDEX[column]}", where, [value])


def _narrow(ledger: Ledger, term: Term, states: list[str] | None) -> list[Walk] | None:
    """Walks of an index on the beginning of a value, if that leaves few rows; [] if it leaves none."""
    found = _PREFIX_INDEX.get(term.field)
    if found is None or term.negated or len(term.values) > 1 or glob(term.values[0]):
        return None
    if term.field == "fingerprint" and (states is None or not DEAD.issuperset(states)):
        return None
    source, where = found
    values = list(prefix(term.field, term.values[0]))
    count = few(ledger, f"{source} WHERE {where}", values)
    if count is None:
        return None
    return [Walk(source, where, values)] if count else []
