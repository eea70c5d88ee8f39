"""Notices on their way: which events have been handled, what waits for each target, and when each was told something.

Events are handled in the order of their ids up to a mark that moves in the transaction that takes down what came of
them: each once, whoever does it and whatever is killed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.alert import NOTICE_TYPE
from jobdesk.core.clock import iso
from jobdesk.core.flow import FlowState
from jobdesk.core.job import DEAD
from jobdesk.core.notice import FLOWS, OF_JOBS, SPELLED, Happened, Told, Topic
from jobdesk.core.query import Query
from jobdesk.core.rate import Rate
from jobdesk.ledger import flows
from jobdesk.ledger.conditions import condition, matches
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.endings import ENDS

STEP = 20_000
"""Events of one step."""
SENT_KEPT_S = 7 * 86400.0
_MARK = "notice_event"
_ENDS = frozenset(kind.value for kind in ENDS)
_OF_ALERTS = ("alert", "rule", "subject", "severity", "value", "threshold")
_OUTCOME = {
    FlowState.COMPLETED: Topic.FLOW_COMPLETED,
    FlowState.FAILED: Topic.FLOW_FAILED,
    FlowState.CANCELLED: Topic.FLOW_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """The newest event, the mark (None: nobody has listened yet), and since when the oldest notice waits."""

    newest: int
    mark: int | None
    waiting_since: float | None


def outlook(ledger: Ledger) -> Outlook:
    """How it stands; one cheap read."""
    row = ledger.row(
        "SELECT (SELECT max(id) FROM event), (SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?), "
        "(SELECT min(first_at) FROM notice)",
        (_MARK,),
    )
    assert row is not None
    return Outlook(int(row[0] or 0), row[1], row[2])


def begin(ledger: Ledger) -> None:
    """Handle what happens from now on."""
    with ledger.write() as tx:
        tx.run("INSERT OR IGNORE INTO meta SELECT ?, coalesce(max(id), 0) FROM event", (_MARK,))


def stop(ledger: Ledger) -> None:
    """Nobody is to be told any more: what happens before somebody is, is no news then."""
    if ledger.row("SELECT 1 FROM meta WHERE key = ?", (_MARK,)) is not None:
        with ledger.write() as tx:
            tx.run("DELETE FROM meta WHERE key = ?", (_MARK,))
            tx.run("DELETE FROM notice")


# ── events ──


def happened(ledger: Ledger, mark: int, last: int, topics: Collection[Topic]) -> list[Happened]:
    """What events above the mark, up to the last, tell of these topics; jobs that send notices are none of it."""
    kinds = {topic.value for topic in topics if topic not in FLOWS}
    ends = _ENDS if FLOWS.intersection(topics) else frozenset()
    if ends or OF_JOBS.intersection(topics):
        source, among = "event e NOT INDEXED", ""
    else:
        source, among = "event e INDEXED BY event_of_no_job", "e.job IS NULL AND "
    found, lasts = list[Happened](), dict[str, int | None]()
    for at, kind, queue, data, seq, job, type_, user, flow, state, error_type, error_message in ledger.rows(
        "SELECT e.at, e.kind, e.queue, e.data, j.seq, j.id, j.type, j.user, j.flow, j.state, j.error_type, "
        f"j.error_message FROM {source} LEFT JOIN job j ON j.seq = e.job WHERE {among}e.id > ? AND e.id <= ? "
        "AND (e.kind IN (SELECT value FROM json_each(?)) "
        "OR e.kind IN (SELECT value FROM json_each(?)) AND j.flow IS NOT NULL) ORDER BY e.id",
        (mark, last, json.dumps(sorted(kinds)), json.dumps(sorted(ends))),
    ):
        if kind in ends and flow is not None:
            if flow not in lasts:
                lasts[flow] = _last_of(ledger, flow)
            if lasts[flow] == seq:
                found += [one for one in _flow_ended(ledger, flow) if one.topic in topics]
                lasts[flow] = None
        if kind not in kinds or type_ == NOTICE_TYPE:
            continue
        said = json.loads(data) if data else {}
        error = f"{error_type}: {error_message}" if error_type and state in DEAD else said.get("message")
        values = {name: said[name] for name in _OF_ALERTS if name in said}
        values |= {"event": kind, "at": iso(at), "queue": queue, "job": job or said.get("job_id"), "type": type_,
                   "user": user, "flow": flow, "error": error}  # fmt: skip
        values |= _words(Topic(kind), values, said)
        found.append(Happened(Topic(kind), _texts(values), seq, bool(said.get("silenced"))))
    return found


def _last_of(ledger: Ledger, flow: str) -> int | None:
    """Seq of the job whose end was that of its flow: the last of those that ended when it did. None: it goes on."""
    row = ledger.row(
        "SELECT max(j.seq) FROM flow f JOIN job j ON j.flow = f.id AND j.finished_at = f.finished_at "
        "WHERE f.id = ? AND f.open = 0",
        (flow,),
    )
    return None if row is None else row[0]


def _flow_ended(ledger: Ledger, id_: str) -> list[Happened]:
    """How a flow ended."""
    flow = flows.flow(ledger, id_)
    topic = _OUTCOME.get(flow.state)
    if topic is None:
        return []
    failed = next((job for job in flow.jobs if job.state in DEAD and job.error is not None), None)
    error = "" if failed is None or failed.error is None else f"{failed.error.type}: {failed.error.message}"
    said = (
        f"{failed.step or failed.type}: {error}"
        if failed is not None
        else f"{flow.done} of {flow.total} jobs completed"
    )
    values = {
        "event": topic.value, "at": iso(flow.finished_at), "flow": id_, "flow_name": flow.name, "error": error,
        "job": failed.id if failed else None, "type": failed.type if failed else None,
        "queue": failed.queue if failed else None, "title": f"flow {flow.name} {flow.state.value}", "message": said,
    }  # fmt: skip
    return [Happened(topic, _texts(values), None)]


def _words(topic: Topic, values: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Title and message of an event, where a route has none of its own."""
    message = str(said.get("message") or "")
    if topic is Topic.ALERT_RAISED:
        return {"title": f"{values['severity']}: {values['rule']} ({values['subject']})", "message": message}
    if topic is Topic.ALERT_CLEARED:
        return {"title": f"over: {values['rule']} ({values['subject']})", "message": message}
    if topic in OF_JOBS:
        title = f"{values['type'] or 'a job'} {topic.value.removeprefix('job_')}"
        return {"title": title, "message": "\n".join(filter(None, (values["job"], values["error"])))}
    details = " ".join(f"{name}={value}" for name, value in said.items() if name != "message")
    return {"title": topic.value.replace("_", " "), "message": "\n".join(filter(None, (message, details)))}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in values.items()
        if value is not None
    }


def fitting(ledger: Ledger, query: Query, seqs: Collection[int]) -> set[int]:
    """Which of these jobs match a query as they are now."""
    columns = {"state": 1, "queue": 2, "type": 3}
    conditions = [condition(term, ledger.clock.now()) for term in query.terms if term.field not in columns]
    asked = "".join(f" AND {sql}" for sql, _ in conditions)
    rows = ledger.rows(
        f"SELECT j.seq, j.state, j.queue, j.type FROM job j WHERE j.seq IN (SELECT value FROM json_each(?)){asked}",
        (json.dumps(sorted(seqs)), *(value for _, given in conditions for value in given)),
    )
    named = [term for term in query.terms if term.field in columns]
    return {
        row[0]
        for row in rows
        if all(any(matches(value, row[columns[term.field]]) for value in term.values) != term.negated for term in named)
    }


def take_down(tx: Tx, mark: int, last: int, notices: Mapping[str, Sequence[Told]]) -> bool:
    """Events up to the last are handled, and led to these notices by target. False: another process was first."""
    if not tx.run("UPDATE meta SET value = ? WHERE key = ? AND CAST(value AS INTEGER) = ?", (last, _MARK, mark)):
        return False  # fmt: skip
    for target, new in notices.items():
        row = tx.row("SELECT n, told FROM notice WHERE target = ?", (target,))
        before = json.loads(row[1]) if row else []
        kept = [*before, *(one.to_json() for one in new)][:SPELLED]
        tx.run(
            "INSERT INTO notice VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET n = n + ?3, told = ?4",
            (target, tx.now, len(new), json.dumps(kept, ensure_ascii=False)),
        )
    return True


# ── messages ──


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a target since an instant; `count` with what is not spelled out."""

    target: str
    since: float
    count: int
    notices: Sequence[Told]


def waiting(ledger: Ledger) -> list[Waiting]:
    """What waits for each target."""
    return [
        Waiting(target, since, n, [Told(**one) for one in json.loads(told)])
        for target, since, n, told in ledger.rows("SELECT target, first_at, n, told FROM notice ORDER BY first_at")
    ]


def opens_at(ledger: Ledger | Tx, target: str, rate: Rate, now: float) -> float:
    """When a target may be told something again, epoch seconds; what lies ahead after a clock was set counts not."""
    rows = ledger.rows(
        "SELECT at FROM notice_sent WHERE target = ? AND at > ? AND at <= ? ORDER BY at DESC LIMIT ?",
        (target, now - rate.span_s, now, rate.most),
    )
    return now if len(rows) < rate.most else float(rows[-1][0]) + rate.span_s


def take(tx: Tx, one: Waiting) -> bool:
    """Take what waits for a target, to send it. False: it has changed meanwhile."""
    values = (one.target, one.count, one.since)  # as many others may have come since another process sent these
    return bool(tx.run("DELETE FROM notice WHERE target = ? AND n = ? AND first_at = ?", values))


def sent(tx: Tx, target: str, job: str) -> None:
    """A job tells the target."""
    tx.run("INSERT INTO notice_sent (target, at, job) VALUES (?, ?, ?)", (target, tx.now, job))
    tx.run("DELETE FROM notice_sent WHERE target = ? AND at < ?", (target, tx.now - SENT_KEPT_S))


def last_sent(ledger: Ledger) -> dict[str, tuple[float, str, str | None]]:
    """When each target was last told something, by which job, and that job's state."""
    rows = ledger.rows(
        "SELECT s.target, max(s.at), s.job, (SELECT state FROM job j WHERE j.id = s.job) "
        "FROM notice_sent s GROUP BY s.target"
    )
    return {target: (float(at), job, state) for target, at, job, state in rows}
