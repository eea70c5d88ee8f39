"""`jobdesk alerts` and `jobdesk notify`: what they print and how they exit."""

from pathlib import Path

from jobdesk import MASK, Desk
from jobdesk.core.alert import Reading
from jobdesk.ledger import alerts
from tests.cli.conftest import Say
from tests.support.watching import rule


def raise_one(home: Path) -> None:
    desk = Desk(home)
    own = rule("queue_depth", "queue-depth", above=100.0)
    reading = Reading("mail", 120.0, "120 jobs of queue mail wait for a worker", "mail")
    with desk.ledger.write() as tx:
        assert alerts.take_down(tx, [own], {"queue-depth": [reading]}, 15.0)
    desk.close()


def test_an_alert_is_listed_and_acknowledged(say: Say, home: Path) -> None:
    assert say("alerts", "list", "--json").json == []
    raise_one(home)
    (one,) = say("alerts", "list", "--json").json
    assert set(one) == {
        "id", "rule", "subject", "severity", "state", "value", "threshold", "message", "queue", "job", "since",
        "raised_at", "cleared_at", "acked_at", "acked_by", "silenced_until",
    }  # fmt: skip
    assert (one["state"], one["value"], one["threshold"], one["cleared_at"]) == ("active", 120.0, 100.0, None)
    (row,) = say("alerts", "list").out.splitlines()
    assert row.split("\t")[:4] == ["1", "warning", "queue-depth", "mail"]
    problems = say("health", "--json").json["problems"]
    assert "alert 1, queue-depth: 120 jobs of queue mail wait for a worker" in {one["message"] for one in problems}
    assert say("alerts", "ack", "1").code == 0
    assert say("alerts", "ack", "1", "--json").json["state"] == "acknowledged"
    answer = say("alerts", "ack", "7")
    assert answer.code == 4 and "there is no alert 7" in answer.err
    assert say("alerts", "ack", "seven").code == 2


def test_rules_say_their_threshold_and_what_they_see(say: Say, home: Path) -> None:
    found = {one["name"]: one for one in say("alerts", "rules", "--json").json}
    assert found["memory"]["value"] > 0 and found["memory"]["subject"] == "machine"
    assert (found["disk-low"]["below"], found["disk-low"]["unit"]) == (1e9, "bytes")
    assert (found["worker-lost"]["value"], found["worker-lost"]["breached"]) == (None, False)
    rows = {line.split("\t")[0]: line.split("\t") for line in say("alerts", "rules").out.splitlines()}
    assert rows["failure-rate"][1:3] == ["error", "above 10%"]


def test_a_rule_is_silenced_for_a_while_and_speaks_again(say: Say, home: Path) -> None:
    raise_one(home)
    until = say("alerts", "silence", "queue-depth", "--for", "2h", "--subject", "mail", "--json").json
    assert (until["rule"], until["subject"]) == ("queue-depth", "mail")
    assert [one["state"] for one in say("alerts", "list", "--json").json] == ["silenced"]
    assert say("alerts", "unsilence", "queue-depth", "--subject", "mail", "--json").json["changed"]
    assert not say("alerts", "unsilence", "queue-depth", "--json").json["changed"]
    answer = say("alerts", "silence", "queue-deep")
    assert answer.code == 4 and "did you mean 'queue-depth'" in answer.err
    assert say("alerts", "silence", "lag", "--for", "soon").code == 2


def test_targets_and_routes_are_listed_without_their_secrets(say: Say, home: Path) -> None:
    (home / "jobdesk.toml").write_text(
        '[notify.targets]\nops = "mailto://me:s3cr3t@example.org"\nphone = "${env:PHONE}"\n'
        '[[notify.routes]]\nto = ["ops"]\nseverity = ["error"]\n'
    )
    ops, phone = say("notify", "targets", "--json").json
    assert (ops["url"], ops["routes"], ops["sent_at"], phone["url"]) == (f"mailto://{MASK}", 1, None, MASK)
    (route,) = say("notify", "routes", "--json").json
    assert (route["to"], route["events"], route["severity"]) == (["ops"], ["alert_cleared", "alert_raised"], ["error"])
    assert say("notify", "routes").code == 0
    answer = say("notify", "test", "ops")
    assert answer.code == 1 and "no consumer works on this home" in answer.err
    shown = say("config", "show").out + say("config", "show", "--json").out + say("notify", "targets").out
    assert "s3cr3t" not in shown and '"for"' in shown
