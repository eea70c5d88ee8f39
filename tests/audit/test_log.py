"""The audit log: who, what, when, to which jobs; nothing is missing, nothing can be changed, no secret is in it."""

import csv
import json
import os
import sqlite3
from pathlib import Path

import pytest

from jobdesk import Desk, Submission
from jobdesk.core.errors import NotFound, Refused
from jobdesk.ledger import moves
from tests.audit.conftest import SECRET, SETTINGS, fail_one
from tests.support.clock import FakeClock
from tests.support.home import said


def test_every_action_is_a_row_with_who_and_what(desk: Desk) -> None:
    dead = fail_one(desk)
    desk.retry(dead, {"name": "Eve", "password": SECRET})
    desk.cancel(dead)
    desk.pause("default")
    desk.add_schedule("daily", "greet", cron="@daily")
    desk.pause_schedule("daily")
    made = desk.trigger_schedule("daily")
    desk.resume_schedule("daily")
    desk.remove_schedule("daily")
    desk.resume("default")
    desk.delete(dead)
    desk.submit("greet")  # no action: the job itself says who
    found = desk.audit()
    assert [(one.action, one.what) for one in reversed(found)] == [
        ("retry", dead),
        ("cancel", dead),
        ("pause", "queue default"),
        ("add", "schedule daily"),
        ("pause", "schedule daily"),
        ("trigger", "schedule daily, 1 job"),
        ("resume", "schedule daily"),
        ("remove", "schedule daily"),
        ("resume", "queue default"),
        ("delete", dead),
    ]
    assert {(one.user, one.surface, one.terminal, one.pid, one.host) for one in found} == {
        ("ada", "command", "/dev/pts/9", 42, "desk")
    }
    retry, cancel = found[-1], found[-2]
    assert retry.before == {"state": "failed", "data": {"name": "Ada", "password": ""}}
    assert retry.after == {"state": "pending", "data": {"name": "Eve", "password": "********"}}
    assert (cancel.before, cancel.after) == ({"state": "pending"}, {"state": "cancelled"})
    assert found[0].before == {"type": "greet", "queue": "default", "state": "cancelled"}
    assert found[4].jobs == (made.id,)
    assert [one.action for one in desk.audit(job=dead)] == ["delete", "cancel", "retry"]
    assert [one.action for one in desk.audit(action="pause", limit=1)] == ["pause"]
    assert desk.audit(user="eve") == desk.audit(since=desk.clock.now() + 1) == []
    for row in desk.ledger.rows("SELECT before, after FROM audit_part"):
        assert SECRET not in str(row)


def test_what_does_nothing_or_is_refused_is_no_action(desk: Desk) -> None:
    job = desk.submit("greet")
    desk.sync_queues()
    desk.resume("default")
    with pytest.raises(Refused):
        desk.retry(job.id)
    with pytest.raises(NotFound):
        desk.cancel("job_00000000000000000000000000")
    assert set(desk.each("retry", [job.id]).values()) != {None}
    assert desk.audit() == []


def test_many_jobs_are_one_row(desk: Desk) -> None:
    ids = desk.submit_batch([Submission(type="greet") for _ in range(250)])
    deed = desk.deed("cancel", query="type:greet")
    for start in range(0, 250, 120):
        desk.each("cancel", ids[start : start + 120], deed)
    (one,) = desk.audit()
    assert (one.action, one.query, set(one.jobs)) == ("cancel", "type:greet", set(ids))
    assert (one.before, one.after) == ({"states": {"pending": 250}}, {"states": {"cancelled": 250}})
    assert desk.audit(job=ids[130]) == [one] and desk.audit(job="job_00000000000000000000000000") == []
    desk.retry(ids[7])
    undone = desk.undo(one.id)
    assert (undone.jobs, list(undone.refused)) == (249, [ids[7]])
    assert {job.state for job in desk.jobs("type:greet", limit=300).jobs} == {"pending"}
    with pytest.raises(Refused, match="has changed since"):  # what was refused may be tried again
        desk.undo(one.id)


def test_it_cannot_be_changed(desk: Desk) -> None:
    desk.cancel(desk.submit("greet").id)
    for sql in ("UPDATE audit SET user = 'eve'", "DELETE FROM audit", "UPDATE audit_part SET jobs = 0",
                "DELETE FROM audit_part", "INSERT OR REPLACE INTO audit SELECT * FROM audit",
                "REPLACE INTO audit_part SELECT * FROM audit_part",
                "INSERT INTO audit SELECT * FROM audit WHERE 1 ON CONFLICT DO UPDATE SET user = 'eve'"):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), desk.ledger.write() as tx:
            tx.run(sql)
    assert [one.user for one in desk.audit()] == ["ada"]


def test_neither_is_there_when_the_transaction_dies(desk: Desk) -> None:
    job = desk.submit("greet")

    class Killed(BaseException):
        pass

    with pytest.raises(Killed), desk.deed("cancel").part() as part, part.job(job.id):
        moves.cancel(part.tx, job.id, "x")
        raise Killed
    assert desk.audit() == [] and desk.job(job.id).state == "pending"


def test_limits_and_services_are_in_the_log(desk: Desk) -> None:
    desk.set_concurrency("default", 3)
    assert desk.open_service("mailer", "it moves house") and not desk.open_service("mailer")
    assert desk.close_service("mailer") and not desk.close_service("mailer")
    closed, opened, limited = desk.audit()
    assert (limited.action, limited.what) == ("concurrency", "queue default")
    assert (limited.before, limited.after) == ({"concurrency_set": None}, {"concurrency_set": 3})
    assert (opened.action, opened.what, opened.before) == ("open", "service mailer", {"breaker": "closed"})
    assert opened.after == {"breaker": "open", "reason": "it moves house"}
    assert (closed.action, closed.after["breaker"], closed.undoable) == ("close", "closed", False)
    assert desk.undo().entry.id == limited.id
    assert desk.ledger.row("SELECT concurrency_set FROM queue WHERE name = 'default'") == (None,)


def test_a_change_of_the_settings_is_noticed_once_without_secrets(desk: Desk, home: Path, clock: FakeClock) -> None:
    desk.follow_settings()
    assert desk.audit() == []
    (home / "jobdesk.toml").write_text(
        f'{SETTINGS}[queues.default]\nconcurrency = 3\n[types.greet]\npassword = "{SECRET}"\n', encoding="utf-8"
    )
    os.utime(home / "jobdesk.toml", (clock.now() - 60, clock.now() - 60))
    other = Desk(home, clock=clock)
    for one in (desk, other):
        one.follow_settings()
    other.close()
    (change,) = desk.audit()
    assert (change.action, change.surface) == ("change", "file")
    assert change.before == {"queues.default.concurrency": None, "types.greet.password": None}
    assert change.after == {"queues.default.concurrency": 3, "types.greet.password": "********"}
    assert SECRET not in str(desk.ledger.rows("SELECT * FROM meta"))


def test_commands(home: Path, tmp_path: Path) -> None:
    id_ = said(home, "submit", "greet", "name=Bob").out.strip()
    assert said(home, "jobs", "cancel", id_).code == 0
    assert said(home, "jobs", "retry", id_, "--data", json.dumps({"password": SECRET})).code == 0
    retry, cancel = said(home, "audit", "--json").json
    assert (cancel["command"], cancel["surface"]) == (f"jobdesk --home {home} jobs cancel {id_}", "command")
    assert SECRET not in said(home, "audit", "--json").out and retry["command"].endswith("********\"}'")
    assert "can be undone" in said(home, "audit", "--since", "1d", "--job", id_).out
    assert said(home, "undo").out.startswith(f"undid #{retry['id']}: retry")
    assert said(home, "undo", f"#{cancel['id']}", "--json").json["jobs"] == 1
    assert said(home, "jobs", "show", id_, "--json").json["state"] == "pending"
    assert said(home, "undo").code == 4
    assert said(home, "undo", "--list").code == 0
    assert said(home, "audit", "export", str(tmp_path / "log.ndjson")).code == 0
    later = said(home, "submit", "greet", "--priority", "low").out.strip()
    lines = (tmp_path / "log.ndjson").read_text().splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["cancel", "retry", "undo", "undo"]
    assert said(home, "audit", "export", str(tmp_path / "log.csv"), "--action", "undo").code == 0
    with (tmp_path / "log.csv").open(newline="") as stream:
        assert [row["undoes"] for row in csv.DictReader(stream)] == [str(retry["id"]), str(cancel["id"])]
    assert said(home, "jobs", "priority", "high", later).code == 0
    assert said(home, "jobs", "priority", "0", "--query", "priority:high", "--json").json[0]["done"]
    assert said(home, "jobs", "show", later, "--json").json["priority"] == 0
    assert said(home, "jobs", "priority", "big", later).code == 2
    assert said(home, "undo").code == 0 and said(home, "undo").code == 0
    assert said(home, "jobs", "show", later, "--json").json["priority"] == 25
    assert said(home, "backup", str(tmp_path / "copy.db")).code == 0
    assert said(home, "restore", str(tmp_path / "copy.db")).code == 0
    assert said(home, "audit", "--json", "--limit", "1").json[0]["action"] == "restore"
    assert said(home, "queues", "clean", "default", "--state", "cancelled", "--yes").code == 0


def test_silences_are_logged(desk: Desk) -> None:
    desk.silence("dead-letters", "1h")
    assert desk.unsilence("dead-letters")
    assert not desk.unsilence("dead-letters")
    assert [(one.action, one.target) for one in desk.audit()] == [
        ("unsilence", "rule dead-letters"), ("silence", "rule dead-letters"),
    ]  # fmt: skip
