"""Ended jobs that are kept no longer, all of them at once: for whoever removes or archives them when asked to."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from jobdesk.core.clock import iso
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.prune import ENDED, LOOK, Ended, Found, Keep, aged, beyond, excess, may_go

_START = Found([], (0.0, 0), True)
_BYTES = "coalesce(length(CAST({} AS BLOB)), 0)"
_OF_JOB = " + ".join(_BYTES.format(name) for name in ("data", "result", "error_traceback"))


def overdue(ledger: Ledger, keep: dict[str, Keep], now: float, *, removed: bool = True) -> Iterator[list[Ended]]:
    """All that is kept no longer, a part at a time; whoever removes it does so before the next part is asked for.

    Args:
        removed: False: nothing is removed meanwhile; each job comes once all the same.
    """
    seen: dict[tuple[str, str], set[int]] = defaultdict(set)
    for span_s in sorted({span for own in keep.values() for span in (own.completed_s, own.dead_s) if span is not None}):
        found = _START
        while found.more:
            found = aged(ledger, keep, span_s, found.at, now)
            if not removed:
                for one in found.doomed:
                    seen[one.queue, one.state].add(one.seq)
            yield found.doomed
    for queue, states, count in excess(ledger, keep):
        former = set[int]().union(*(seen[queue, state] for state in states))
        left, found = count - len(former), _START
        while found.more and left > 0:
            found = beyond(ledger, queue, states, found.at, now, LOOK)
            doomed = [one for one in found.doomed if one.seq not in former][:left]
            left -= len(doomed)
            yield doomed


def unchanged(ledger: Ledger, ended: Mapping[str, tuple[str, str]], now: float) -> list[Ended]:
    """Those of some jobs that still are as they ended, and may go; `ended` has state and ISO instant by id."""
    rows = ledger.rows(
        f"{ENDED}, j.id FROM job j LEFT JOIN flow f ON f.id = j.flow "
        "WHERE j.id IN (SELECT value FROM json_each(?)) AND j.finished_at IS NOT NULL",
        (json.dumps(list(ended)),),
    )
    return [Ended(*row[:4]) for row in rows if (row[2], iso(row[3])) == ended[row[7]] and may_go(row, now)]


def there(ledger: Ledger, ended: Sequence[Ended]) -> set[Ended]:
    """Those that still are as they were read."""
    seqs = json.dumps([one.seq for one in ended])
    rows = ledger.rows(
        "SELECT seq, queue, state, finished_at FROM job WHERE seq IN (SELECT value FROM json_each(?)) "
        "AND finished_at IS NOT NULL",
        (seqs,),
    )
    return {Ended(*row) for row in rows} & set(ended)


def weight(ledger: Ledger, ended: Sequence[Ended]) -> int:
    """How many bytes the payloads, results, tracebacks and histories of jobs are."""
    seqs = json.dumps([one.seq for one in ended])
    rows = ledger.rows(
        f"SELECT coalesce(sum({_OF_JOB}), 0) FROM job WHERE seq IN (SELECT value FROM json_each(?1)) UNION ALL "
        f"SELECT coalesce(sum({_BYTES.format('data')}), 0) FROM event "
        "WHERE job IS NOT NULL AND job IN (SELECT value FROM json_each(?1))",
        (seqs,),
    )
    return sum(int(bytes_) for (bytes_,) in rows)
