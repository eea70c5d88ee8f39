"""Counts a home's ledger from outside, with plain SQL: what is lost, what was written twice, what does not add up."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support import witness
from tests.support.home import said

FINAL = ("completed", "failed", "cancelled", "expired")
_ENDS = ("job_completed", "job_failed", "job_cancelled", "job_expired")
_SOUND = ("database", "counts", "flows", "running jobs", "clock")
"""Checks of the doctor that only the ledger can fail; the others look at the machine."""


@contextmanager
def ledger(home: Path) -> Iterator[sqlite3.Connection]:
    """One consistent state of the ledger, to read."""
    with closing(sqlite3.connect(home / "jobdesk.db", timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection


def states(home: Path) -> dict[str, str]:
    with ledger(home) as connection:
        return dict(connection.execute("SELECT id, state FROM job"))


def wrong(home: Path, stored: Sequence[str], *, whole: bool = False) -> list[str]:
    """What contradicts the promises now, whoever works; [] if nothing.

    Args:
        stored: ids of jobs whose submission has returned.
        whole: also check every page of the file.
    """
    with ledger(home) as connection:
        found = _lost(connection, stored) + _ended_twice(connection) + _counts(connection)
        if whole:
            found += [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    return found + witness.overlaps(home.parent)


def wrong_at_the_end(home: Path, stored: Sequence[str]) -> list[str]:
    """What contradicts the promises once nothing is left to do: all ended as they should, with a run behind it."""
    found = wrong(home, stored, whole=True)
    runs = defaultdict(list)
    for run in witness.runs(home.parent):
        runs[run.job].append(run)
    with ledger(home) as connection:
        rows = connection.execute("SELECT id, type, state, error_type, attempt, max_attempts FROM job").fetchall()
        trees = connection.execute(
            "SELECT r.id, count(c.id) FROM job r LEFT JOIN job c ON c.parent = r.id "
            "WHERE r.type = 'tree' AND r.state = 'completed' GROUP BY r.id"
        ).fetchall()
    for id_, type_, state, error, attempt, most in rows:
        expected = "failed" if type_ == "doomed" else "completed"
        if state != expected:
            begun = sum(run.end_ns is None for run in runs[id_])
            found.append(
                f"{type_} {id_} is {state} ({error}) in attempt {attempt} of {most}, {begun} of its runs were killed"
            )
        if not any(run.end_ns for run in runs[id_]):
            found.append(f"{type_} {id_} is {state} and never ran to its end")
    found += [f"{id_} has {n} children" for id_, n in trees if n != witness.CHILDREN_OF_A_TREE]
    left = list((home / "run" / "work").iterdir())
    return found + [f"a working folder is left: {path.name}" for path in left] + doctor(home)


def doctor(home: Path) -> list[str]:
    """What `jobdesk doctor` finds wrong with the ledger."""
    answer = said(home, "doctor", "--json")
    if not answer.out:
        return [answer.error]
    found = answer.json
    return [f"doctor: {one['message']}" for one in found if not one["ok"] and one["name"] in _SOUND]


def _lost(connection: sqlite3.Connection, stored: Sequence[str]) -> list[str]:
    there = {id_ for (id_,) in connection.execute("SELECT id FROM job")}
    return [f"{id_} was submitted and is lost" for id_ in stored if id_ not in there]


def _ended_twice(connection: sqlite3.Connection) -> list[str]:
    """Each job that has ended did so once: one event, and one attempt that says the same."""
    ends = ", ".join(f"'{kind}'" for kind in _ENDS)
    rows = connection.execute(
        "SELECT j.id, j.state, j.finished_at IS NOT NULL, "
        f"(SELECT count(*) FROM event WHERE job = j.seq AND kind IN ({ends})), "
        "(SELECT count(*) FROM event WHERE job = j.seq AND kind = 'job_created'), "
        "(SELECT count(*) FROM attempt WHERE job = j.seq AND outcome = 'completed'), "
        "(SELECT count(*) FROM attempt WHERE job = j.seq), j.fence FROM job j"
    )
    found = []
    for id_, state, ended, ends_written, created, completed, attempts, fence in rows:
        if ends_written != ended:
            found.append(f"{id_} is {state} and has {ends_written} events of an end")
        if created != 1:
            found.append(f"{id_} was created {created} times")
        if completed != (state == "completed"):
            found.append(f"{id_} is {state} and has {completed} completed attempts")
        if attempts + (state == "processing") > fence:
            found.append(f"{id_} was claimed {fence} times and has {attempts} attempts, {state}")
    return found


def _counts(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT queue, state, sum(counted), sum(there) FROM (SELECT queue, state, n AS counted, 0 AS there FROM tally "
        "UNION ALL SELECT queue, state, 0, 1 FROM job) GROUP BY 1, 2 HAVING sum(counted) <> sum(there)"
    )
    return [f"queue {queue} counts {counted} {state}, and has {there}" for queue, state, counted, there in rows]
