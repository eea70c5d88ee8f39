"""Notices that are really sent: by mail with a password, to a webhook, again when it fails, never about themselves."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobdesk import MASK, Desk, Submission
from jobdesk.core.errors import NotFound, Refused
from jobdesk.core.job import State
from jobdesk_processors import notices
from tests.support.context import bench
from tests.support.home import command, consumer, end, kill, make_home, said, until
from tests.support.inboxes import mailbox, webhook

PASSWORD = "p@ss/w:rd%41-hunter2"
PROCESSORS = """
from jobdesk import Context, processor

@processor("breaks", retries=0)
def breaks(ctx: Context) -> None:
    raise ValueError("it broke")

@processor("greets")
def greets(ctx: Context) -> None:
    pass
"""


@contextmanager
def working(home: Path, **environment: str) -> Iterator[Desk]:
    """A desk on which a consumer in a process of its own works, with these in its environment."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | environment,
    )  # fmt: skip
    desk = Desk(home)
    try:
        until(desk.consumers)
        until(lambda: desk.ledger.row("SELECT 1 FROM meta WHERE key = 'notice_event'"))
        yield desk
    finally:
        end(worker)
        desk.close()


def settings(targets: str, routes: str, more: str = "") -> str:
    of_the_machine = "".join(f"[alerts.rules.{name}]\nenabled = false\n" for name in ("memory", "disk-low"))
    return f"""
[alerts]
look = "1s"
{of_the_machine}
[notify]
group = "100ms"
{more}
[notify.targets]
{targets}
{routes}
"""


def everything_in(home: Path) -> bytes:
    """Every byte of every file of a home."""
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_alerts_and_ends_of_flows_reach_a_mailbox_and_the_password_stays_out_of_the_home(tmp_path: Path) -> None:
    with mailbox("desk", PASSWORD) as box:
        address = f"mailto://desk:${{env:MAIL_PASSWORD}}@127.0.0.1:{box.port}?from=desk@example.org&to=ops@example.org"
        home = make_home(
            tmp_path,
            PROCESSORS,
            settings(
                f'ops = "{address}&mode=insecure"',
                """
[[notify.routes]]
to = ["ops"]
rules = ["dead-*"]
title = "[{severity}] {rule} on {subject}"
body = "{message} ({value} > {threshold})"
[[notify.routes]]
to = ["ops"]
events = ["flow_completed", "flow_failed"]
flows = ["both"]
[[flows]]
name = "both"
[[flows.steps]]
name = "first"
type = "greets"
[[flows.steps]]
name = "second"
type = "breaks"
after = ["first"]
""",
            ),
        )
        with working(home, MAIL_PASSWORD=PASSWORD) as desk:
            desk.start_flow("both")
            wanted = [
                "flow both failed", "second: ValueError: it broke", "[warning] dead-letters on default", "(1 > 0)",
            ]  # fmt: skip
            until(lambda: all(one in box.texts for one in wanted))
            until(lambda: not desk.ledger.row("SELECT 1 FROM job WHERE finished_at IS NULL"))
        assert box.refused == 0 and {mail["To"] for mail in box.mails} == {"ops@example.org"}
        shown = said(home, "config", "show"), said(home, "notify", "targets", "--json"), said(home, "notify", "routes")
        assert all(answer.code == 0 and "mail_password" not in answer.out.lower() for answer in shown)
        assert shown[1].json[0]["url"] == f"mailto://{MASK}" and shown[1].json[0]["state"] == "completed"
        found = everything_in(home)
        assert b"hunter2" not in found and b"hunter2" not in "".join(answer.out for answer in shown).encode()


def test_a_webhook_gets_json_and_one_that_fails_is_tried_again_and_told_to_nobody(tmp_path: Path) -> None:
    routes = """
[types.send-notification]
retry_delay = "50ms"
backoff = "fixed"
retries = 100
[[notify.routes]]
to = ["hook"]
[[notify.routes]]
to = ["hook"]
events = ["job_failed", "job_completed"]
"""
    with webhook() as hook:
        hook.answer = 500
        target = f'hook = "json://127.0.0.1:{hook.port}/${{env:TOKEN}}/in"'
        home = make_home(tmp_path, PROCESSORS, settings(target, routes))
        with working(home, TOKEN="s3cr3t/ token") as desk:
            desk.submit("breaks")
            until(lambda: len(hook.paths) >= 3)
            assert not hook.posts
            hook.answer = 200
            until(lambda: "breaks failed" in hook.texts and "warning: dead-letters (default)" in hook.texts)
            until(lambda: not desk.ledger.row("SELECT 1 FROM job WHERE finished_at IS NULL"))
            tried = desk.jobs("type:send-notification attempt:>1").jobs
            said_ = [event.data["message"] for event in desk.events(job=tried[0].id) if event.kind == "job_retry"]
            assert "did not take the notice" in said_[0]
            assert "send-notification" not in hook.texts
        assert set(hook.paths) == {"/s3cr3t%2F%20token/in"}
        assert b"s3cr3t" not in everything_in(home)
        assert hook.posts[0]["version"] and "failure" in {post["type"] for post in hook.posts}


def test_a_target_that_is_down_for_good_leads_to_no_notice_about_itself(tmp_path: Path) -> None:
    """Every job and alert is told to the dead target; each notice that fails must not make another."""
    routes = """
[types.send-notification]
retries = 0
[[notify.routes]]
to = ["dead"]
[[notify.routes]]
to = ["dead"]
events = ["job_failed", "job_expired"]
[alerts.rules.failed]
query = "state:failed"
above = 1
[alerts.rules.failure-rate]
minimum = 1
"""
    home = make_home(tmp_path, PROCESSORS, settings('dead = "json://127.0.0.1:1/${env:TOKEN}"', routes))
    with working(home, TOKEN="s3cr3t-token") as desk:
        desk.submit("breaks")
        until(lambda: ("dead-letters", "notifications") in {(one.rule, one.subject) for one in desk.alerts()})

        def at_rest() -> bool:
            """Every event up to now is handled, nothing waits to be sent, and no job that sends runs."""
            row = desk.ledger.row(
                "SELECT (SELECT max(id) FROM event) <= (SELECT CAST(value AS INTEGER) FROM meta "
                "WHERE key = 'notice_event') AND NOT EXISTS (SELECT 1 FROM notice) "
                "AND NOT EXISTS (SELECT 1 FROM job WHERE finished_at IS NULL)"
            )
            return row is not None and bool(row[0])

        until(at_rest)
        # what broke, its alerts (dead letters, failure rate), and no more
        told = [
            event.data for event in desk.events() if event.kind == "alert_raised" and event.queue != "notifications"
        ]
        sent = desk.jobs("type:send-notification").jobs
        assert 1 <= len(sent) <= 1 + len(told) and {one["subject"] for one in told} == {"default"}
        looked = desk.ledger.row("SELECT value FROM meta WHERE key = 'alert_looked'")
        until(lambda: desk.ledger.row("SELECT value FROM meta WHERE key = 'alert_looked'") != looked)
        until(at_rest)
        assert not [one for one in desk.alerts() if one.rule == "failed"]
        assert all("send-notification" not in job.data["body"] for job in desk.jobs("type:send-notification").jobs)
    assert b"s3cr3t" not in everything_in(home)


@pytest.mark.soak
def test_each_failure_is_told_once_however_many_consumers_are_killed(tmp_path: Path) -> None:
    routes = '[[notify.routes]]\nto = ["hook"]\nevents = ["job_failed"]\nbody = "{job}"\n'
    home = make_home(tmp_path, PROCESSORS, settings('hook = "json://127.0.0.1:1/"', routes))
    with working(home):
        pass  # from now on it listens
    dice, failed, desk = random.Random(1), 0, Desk(home)

    def dead() -> int:
        row = desk.ledger.row("SELECT coalesce(sum(n), 0) FROM tally WHERE state = 'failed' AND queue = 'default'")
        return int(row[0]) if row else 0

    def told() -> int:
        rows = desk.ledger.rows("SELECT data FROM job WHERE type = 'send-notification'")
        titles = [str(json.loads(data)["title"]) for (data,) in rows]
        return sum(int(title.split()[0]) if "notices, the first" in title else 1 for title in titles)

    moments: list[Callable[[int, int], object]] = [
        lambda enough, _: dead() >= enough,
        lambda _, before: desk.ledger.row("SELECT 1 FROM notice") or told() > before,
        lambda _, before: told() > before,
    ]
    for _ in range(12):
        worker, before = consumer(home), told()
        failed += len(desk.submit_batch([Submission(type="breaks") for _ in range(5)]))
        enough = failed - dice.randint(1, 5)
        until(dice.choice(moments), enough, before)
        kill(worker)
    worker = consumer(home)
    until(lambda: told() >= failed, seconds=120)
    until(lambda: not desk.ledger.row("SELECT 1 FROM notice"))
    assert told() == failed
    end(worker)
    desk.close()


def test_a_drain_sends_what_waits(tmp_path: Path) -> None:
    with webhook() as hook:
        routes = '[[notify.routes]]\nto = ["hook"]\nevents = ["job_completed"]\nquery = "type:greets"\n'
        target = f'hook = "json://127.0.0.1:{hook.port}/"'
        home = make_home(tmp_path, PROCESSORS, settings(target, routes).replace("100ms", "1h"))
        assert command(home, "--consumer", "--drain").code == 0  # from now on it listens
        assert command(home, "submit", "greets").code == 0
        assert command(home, "--consumer", "--drain").code == 0
        (post,) = hook.posts
        assert (post["title"], post["type"]) == ("greets completed", "success")


def test_a_drain_looks_at_the_rules_before_it_ends_and_tells_what_it_saw(tmp_path: Path) -> None:
    with webhook() as hook:
        routes = '[[notify.routes]]\nto = ["hook"]\nrules = ["dead-letters"]\n'
        home = make_home(tmp_path, PROCESSORS, settings(f'hook = "json://127.0.0.1:{hook.port}/"', routes))
        assert command(home, "--consumer", "--drain").code == 0
        assert command(home, "submit", "breaks").code == 0
        assert command(home, "--consumer", "--drain").code == 3
        assert "warning: dead-letters (default)" in hook.texts
        assert "dead-letters" in {one["rule"] for one in said(home, "alerts", "list", "--json").json}


def test_the_command_tests_a_target(tmp_path: Path) -> None:
    with webhook() as hook:
        home = make_home(tmp_path, "", settings(f'hook = "json://127.0.0.1:{hook.port}/"', ""))
        assert said(home, "notify", "test", "hook").code == 1
        worker = subprocess.Popen([sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer"])
        try:
            desk = Desk(home)
            until(desk.consumers)
            desk.close()
            assert said(home, "notify", "test", "hook", "--json").json["state"] == "completed"
            assert "test of the target hook" in hook.texts
            hook.answer = 403
            answer = said(home, "notify", "test", "hook")
            assert answer.code == 1 and "target hook did not take the notice" in answer.error and "403" in answer.error
            answer = said(home, "notify", "test", "hok")
            assert answer.code == 4 and "did you mean 'hook'?" in answer.error
        finally:
            end(worker)


# ── the processor alone ──


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    targets = {"away": "json://localhost/${env:NOWHERE}", "odd": "nonsense://s3cr3t-place/"}
    own = bench(tmp_path / "home", notices, notify={"targets": targets})

    def why(target: str) -> tuple[str, bool]:
        error = own.run("send-notification", {"target": target, "title": "t", "body": "b"}).error
        return error.message, error.retryable

    assert why("away") == ("the environment of the consumer has no NOWHERE: set it and start it anew", False)
    assert why("none") == ("there is no target none in [notify.targets]; there are away, odd", False)
    message, retryable = why("odd")
    assert message.startswith("target odd is not an address that Apprise knows") and not retryable
    assert "s3cr3t" not in message
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert why("odd") == ('notices are sent by Apprise, which is missing: pip install "jobdesk[notify]"', False)


def test_secrets_are_put_in_as_parts_of_an_address_or_as_the_whole() -> None:
    environment = {"P": "a/b @", "WHOLE": "ntfy://topic"}
    assert notices.resolved("mailto://me:${env:P}@host", environment)[0] == "mailto://me:a%2Fb%20%40@host"
    url, secrets = notices.resolved("${env:WHOLE}", environment)
    assert url == "ntfy://topic" and "ntfy://topic" in secrets


def test_nobody_is_told_without_a_consumer(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path, "", settings('hook = "json://127.0.0.1:1/"', "")))
    with pytest.raises(NotFound, match="there is no target hock"):
        desk.test_target("hock")
    assert desk.test_target("hook").state is State.PENDING
    desk.close()
    assert Refused.exit_code == 1
