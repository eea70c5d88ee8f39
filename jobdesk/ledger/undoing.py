"""Putting back what an action changed, if the world has not moved on since.

Rows return to what they were, also to states that no legal move leads to: `undoing` in `meta`, set in this transaction
only, is what lets the triggers pass that. Counts, lanes and parked jobs follow by the triggers as ever; what they
cannot know (the counts of flows, minutes, the index of words, ends that are in the rollups) is put right here.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from jobdesk.core.errors import Refused
from jobdesk.core.events import Kind
from jobdesk.core.job import DEAD, FINAL, State
from jobdesk.ledger import capture, dropped, endings, follow, fulltext
from jobdesk.ledger.audit import Group
from jobdesk.ledger.capture import Change, Values
from jobdesk.ledger.database import Tx
from jobdesk.ledger.prune import HISTORY

_NAMED = {"job": "id", "schedule": "name", "queue": "name", "drop_folder": "path"}
_WORD = {"drop_folder": "folder"}
_ENDS = ", ".join(f"'{kind.value}'" for kind in endings.ENDS)
_LOST = ", ".join(f"'{state}'" for state in sorted(FINAL - {State.COMPLETED}))
_MINUTE = {State.COMPLETED: "completed"} | dict.fromkeys(DEAD, "failed")


def put_back(tx: Tx, group: Group, who: str) -> list[str]:
    """Undo one group; ids of the jobs that are in flight again.

    Raises:
        Refused: something of it has changed since, or its place is taken; nothing of the group was changed.
    """
    try:
        with tx.nested():
            return _put_back(tx, group, who)
    except sqlite3.IntegrityError as error:
        raise Refused(_taken(str(error), group)) from None


def _put_back(tx: Tx, group: Group, who: str) -> list[str]:
    for one in group.changes:
        _check(tx, one)
    tx.run("INSERT INTO meta VALUES ('undoing', '1') ON CONFLICT DO NOTHING")
    of = {table: [one for one in group.changes if one.table == table] for table in capture.KEYS}
    ends = _ends_of_flows(tx, of["job"], of["flow"])
    for one in of["flow"]:
        if one.after is None and one.before is not None and capture.current(tx, "flow", one.key) is None:
            _insert(tx, "flow", one.before | {"total": 0, "open": 0, "failed": 0})
    places: dict[int, int] = {}
    """New seq of each job that is there again, by its former."""
    for one in of["job"]:
        if one.after is None and one.before is not None:
            places[one.key[0]] = _restore_job(tx, one.before)
    for one in of["job"]:
        if one.before is not None and one.after is not None:
            _move_job(tx, one.key[0], one.before, one.after)
        elif one.before is None:
            _remove_job(tx, one.key[0])
    for table in ("dependency", "attempt", "artifact", "event", "binding"):
        for one in of[table]:
            if one.before is not None and one.after is None:
                _restore_row(tx, table, one.before, places)
    _right_ends(tx, of["event"])
    for one in of["queue"] + of["schedule"] + of["drop_folder"]:
        _restore_named(tx, one, who)
    if of["drop_folder"]:
        dropped.changed(tx)
    _right_flows(tx, ends, of["flow"])
    tx.run("DELETE FROM meta WHERE key = 'undoing'")
    tx.wakes = True
    return _go_on(tx, of["job"], places, who)


# ── what may be put back ──


def _check(tx: Tx, one: Change) -> None:
    """Raises Refused where a row is not as the action left it."""
    if one.table == "flow" or one.table not in _NAMED:
        return
    name = _name(one)
    now = capture.current(tx, one.table, one.key)
    if one.after is None:  # it was removed
        if one.table == "job":
            if tx.row("SELECT 1 FROM job WHERE id = ?", (name,)) is not None:
                raise Refused(f"there is a job {name} again")
        elif now is not None:
            raise Refused(f"there is a {_WORD.get(one.table, one.table)} {name} again")
        return
    if now is None or (one.table == "job" and now["id"] != one.after["id"]):
        if one.before is not None:
            raise Refused(f"{_WORD.get(one.table, one.table)} {name} was deleted since")
        return
    if one.before is None:  # it was added: it may have been changed by nobody
        kept = ["state", "fence"] if one.table == "job" else ["changed_at"]
    else:
        kept = list(one.after)
    if any(now[column] != one.after[column] for column in kept):
        since = f": it is {now['state']} now" if one.table == "job" else ""
        raise Refused(f"{_WORD.get(one.table, one.table)} {name} has changed since{since}")


def _name(one: Change) -> str:
    row = one.before or one.after or {}
    return str(row.get(_NAMED[one.table], one.key[0]))


def _taken(said: str, group: Group) -> str:
    named = group.jobs[0] if group.jobs else "it"
    if "job.unique_key" in said:
        return f"job {named} cannot come back: another job in flight has its unique key"
    return f"{named} cannot be put back, it does not fit what is there now ({said})"


# ── jobs ──


def _restore_job(tx: Tx, row: Values) -> int:
    """Insert a job that was removed, at its place or, if that was given out again, behind all others; its seq."""
    seq = int(row["seq"])
    if tx.row("SELECT 1 FROM job WHERE seq = ?", (seq,)) is not None:
        found = tx.row("SELECT max(seq) + 1 FROM job")
        assert found is not None
        seq = int(found[0])
    _insert(tx, "job", row | {"seq": seq, "counted": 0, "parked": 0})
    indexed = tx.row(f"SELECT 1 WHERE ?1 <= {fulltext.MARK} AND ?1 NOT IN (SELECT seq FROM outdated)", (seq,))
    if indexed is not None:  # the index has let go of it, and its place is below the mark
        words = fulltext.entry(*(row[name] for name in fulltext.COLUMNS.split(", ")))
        tx.run("INSERT INTO fulltext (rowid, words) VALUES (?, ?)", (seq, words))
    return seq


def _move_job(tx: Tx, seq: int, before: Values, after: Values) -> None:
    columns = {name: value for name, value in before.items() if name not in ("id", "seq")}
    columns.setdefault("ready_at", None)
    sets = [f"{name} = {'ready_at' if name == 'ready_at' and name not in before else '?'}" for name in columns]
    values = [value for name, value in columns.items() if name in before]
    tx.run(f"UPDATE job SET {', '.join(sets)} WHERE seq = ?", (*values, seq))
    if before["state"] in FINAL and after["state"] not in FINAL:  # it has ended again, and that is counted already
        tx.run(
            "DELETE FROM unfolded WHERE event = "
            f"(SELECT id FROM event WHERE job = ? AND kind IN ({_ENDS}) ORDER BY id DESC LIMIT 1)",
            (seq,),
        )
        if column := _MINUTE.get(State(before["state"])):
            at = "(SELECT CAST(finished_at / 60 AS INTEGER) FROM job WHERE seq = ?1)"
            queue = "(SELECT queue FROM job WHERE seq = ?1)"
            tx.run(f"UPDATE minute SET {column} = {column} - 1 WHERE at = {at} AND queue = {queue}", (seq,))
            tx.run(f"DELETE FROM minute WHERE at = {at} AND queue = {queue} AND completed + failed <= 0", (seq,))


def _remove_job(tx: Tx, seq: int) -> None:
    """Take away a job that the action had added, and that nobody began."""
    tx.run("DELETE FROM job WHERE seq = ?", (seq,))
    for table in HISTORY:
        tx.run(f"DELETE FROM {table} WHERE job = ?", (seq,))
    tx.run("DELETE FROM dependency WHERE parent = ?", (seq,))


def _restore_row(tx: Tx, table: str, row: Values, places: dict[int, int]) -> None:
    moved = {name: places.get(row[name], row[name]) for name in ("job", "parent") if row.get(name) is not None}
    for seq in moved.values():
        if tx.row("SELECT 1 FROM job WHERE seq = ?", (seq,)) is None:
            return  # the other end of a dependency went by another action
    _insert(tx, table, row | moved, "OR IGNORE" if table == "dependency" else "")


def _right_ends(tx: Tx, events: Sequence[Change]) -> None:
    """Ends whose events are there again are counted with their jobs again."""
    ids = json.dumps([one.key[0] for one in events])
    tx.run("DELETE FROM unfolded WHERE event IN (SELECT value FROM json_each(?))", (ids,))


def _insert(tx: Tx, table: str, row: Values, how: str = "") -> None:
    names = [name for name in capture.columns(tx, table) if name in row]
    marks = ", ".join("?" * len(names))
    tx.run(f"INSERT {how} INTO {table} ({', '.join(names)}) VALUES ({marks})", [row[name] for name in names])


# ── queues, schedules, drop folders, flows ──


def _restore_named(tx: Tx, one: Change, who: str) -> None:
    name = _NAMED[one.table]
    if one.before is None:
        tx.run(f"DELETE FROM {one.table} WHERE {name} = ?", one.key)
    elif one.after is None:
        _insert(tx, one.table, one.before)
    else:
        sets = ", ".join(f"{column} = ?" for column in one.before)
        tx.run(f"UPDATE {one.table} SET {sets} WHERE {name} = ?", (*one.before.values(), *one.key))
    if one.table == "queue" and one.before is not None and "paused_at" in one.before:
        kind = Kind.QUEUE_RESUMED if one.before["paused_at"] is None else Kind.QUEUE_PAUSED
        tx.event(kind, queue=str(one.key[0]), user=who, undone=True)


def _ends_of_flows(tx: Tx, jobs: Sequence[Change], flows: Sequence[Change]) -> dict[str, float | None]:
    """When each flow that is touched is to have ended, if none of its jobs is open then.

    That is kept and put back, for no job that is there need know: the one that ended it may be gone.
    """
    kept = {str(one.key[0]): one for one in flows if one.before is not None and "finished_at" in one.before}
    touched = {str(one.key[0]) for one in flows}
    for one in jobs:
        row = one.before if one.after is None else capture.current(tx, "job", one.key)
        touched |= {row["flow"]} if row is not None and row["flow"] is not None else set()
    ends: dict[str, float | None] = {}
    for flow in touched:
        row, change = capture.current(tx, "flow", (flow,)), kept.get(flow)
        ends[flow] = None if row is None else row["finished_at"]
        if change is not None and change.before is not None and change.after is None:
            ends[flow] = change.before["finished_at"] if row is None else ends[flow]
        elif change is not None and change.before is not None and change.after is not None:
            ends[flow] = change.before["finished_at"] if ends[flow] == change.after["finished_at"] else ends[flow]
    return ends


def _right_flows(tx: Tx, ends: Mapping[str, float | None], flows: Sequence[Change]) -> None:
    """Count the jobs of flows anew, and put back what else a flow's row had."""
    for flow, end in ends.items():
        tx.run(
            "UPDATE flow SET total = r.total, open = r.open, failed = r.failed, "
            "finished_at = CASE WHEN r.open = 0 THEN max(?2, r.ended) END FROM (SELECT count(*) AS total, "
            "coalesce(sum(finished_at IS NULL), 0) AS open, max(finished_at) AS ended, "
            f"coalesce(sum(state IN ({_LOST}) AND NOT optional), 0) AS failed FROM job WHERE flow = ?1) r "
            "WHERE id = ?1",
            (flow, end),
        )
    for one in flows:
        if one.before is None:
            continue
        named = {name: one.before[name] for name in ("on_failure", "failure_job", "cancelled_at") if name in one.before}
        if named:
            sets = ", ".join(f"{name} = ?" for name in named)
            tx.run(f"UPDATE flow SET {sets} WHERE id = ?", (*named.values(), *one.key))


# ── and on it goes ──


def _go_on(tx: Tx, jobs: Sequence[Change], places: dict[int, int], who: str) -> list[str]:
    """Say in each job's story that it is back, and let go or cancel what waits for jobs that have ended meanwhile."""
    back = []
    for one in jobs:
        if one.before is None:
            continue
        seq = places.get(one.key[0], one.key[0])
        row = tx.row("SELECT id, queue, state, attempt, error_type, run_at, waits_for FROM job WHERE seq = ?", (seq,))
        if row is None:
            continue
        id_, queue, state, attempt, error_type, run_at, waits_for = row
        said: dict[str, Any] = {"message": f"undone by {who}", "undone": True}
        if one.after is not None and state == one.after["state"]:
            continue
        if state in FINAL:
            tx.event(Kind.JOB_LOG, seq, queue, level="info", **said)
            continue
        tx.event(Kind.JOB_RETRY, seq, queue, attempt=attempt, delay_s=0, **said)
        back.append(str(id_))
        if state != State.BLOCKED:
            continue
        for (parent,) in tx.rows(
            "SELECT p.seq FROM dependency d JOIN job p ON p.seq = d.parent "
            f"WHERE d.job = ? AND NOT d.ignores AND p.state IN ({_LOST})",
            (seq,),
        ):
            follow.ended_badly(tx, parent)
        if waits_for:
            follow.let_go(tx, seq, state, error_type, run_at, queue)
    return back
