"""Mail as real consumers deliver it: payloads of the reference systems, servers that fail, consumers killed."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.breaker import BreakerState
from jobdesk.core.job import State
from jobdesk.ledger import reads
from tests.support.home import command, consumer, kill, make_home, until
from tests.support.mail import WELCOME, settings
from tests.support.smtp import DROP, TAKE_AND_DROP, MailServer, mail_server

QUICK = '[types.email]\nretry_delay = "10ms"\nmax_delay = "50ms"\nretries = 30\n'


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def test_the_payloads_of_the_reference_systems(tmp_path: Path, server: MailServer) -> None:
    """phraseworks, `type: 'email'` and its reminder; marketplace, queue `email-sending`."""
    with Desk(make_home(tmp_path, settings=settings(server))) as desk:
        welcome = {"to": "user@example.com", "subject": "Welcome to PhraseWorks", "template": "welcome"}
        ids = [
            desk.submit("email", welcome | {"variables": {"userName": "John Doe"}}, priority="normal", retries=3).id,
            desk.submit("email", {"template": "daily_reminder", "to": "user@example.com"}).id,
            desk.submit(
                "email-sending",
                {"to": "user@example.com", "template": "welcome", "data": {"name": "John Doe"}, "priority": "high"},
            ).id,
        ]
        desk.wait(*ids, timeout=60)
        jobs = [desk.job(id_) for id_ in ids]
        assert [(job.state, job.queue, job.priority) for job in jobs] == [
            (State.COMPLETED, "email-sending", 50),
            (State.COMPLETED, "email-sending", 50),
            (State.COMPLETED, "email-sending", 75),
        ], [job.error for job in jobs]
    assert Counter(letter["Subject"] for letter in server.letters) == Counter(
        ["Welcome to PhraseWorks", "Your reminder for today", "Welcome, John Doe"]
    )


def test_what_fails_for_now_is_sent_in_the_end_once_each(tmp_path: Path, server: MailServer) -> None:
    server.data_answers = ["451 not now", DROP, "450 still not", DROP]
    with Desk(make_home(tmp_path, settings=settings(server, QUICK))) as desk:
        ids = [desk.submit("email", WELCOME | {"to": f"p{n}@example.org"}).id for n in range(4)]
        desk.wait(*ids, timeout=60)
        assert set(reads.states(desk.ledger, ids).values()) == {State.COMPLETED}
    assert Counter(letter["To"] for letter in server.letters) == Counter(f"p{n}@example.org" for n in range(4))


def test_a_password_of_the_environment_is_used_and_stands_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(login=True) as server:
        monkeypatch.setenv("SMTP_WORD", server.password)
        login = 'username = "ada"\npassword = "${env:SMTP_WORD}"\n'
        home = make_home(tmp_path, settings=settings(server, login))
        with Desk(home) as desk:
            people = [{"to": f"p{n}@example.org", "data": {"name": f"P{n}"}} for n in range(5)]
            bulk = desk.wait(desk.submit("bulk-email", {"template": "welcome", "recipients": people}).id, timeout=60)
            until(lambda: len(server.letters) == 5)
            until(lambda: all(job.state is State.COMPLETED for job in desk.jobs("type:email").jobs))
            (flow,) = desk.flows()
            assert (flow.done, flow.total) == (6, 6) and bulk.flow == flow.id
        tested = command(home, "mail", "test")
        assert tested.code == 0 and "logged in as ada" in tested.out
        monkeypatch.setenv("SMTP_WORD", "another-word")
        tested = command(home, "mail", "test", "--json")
        assert tested.code == 1 and "535" in tested.json["message"] and "another-word" not in tested.out
        said = b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())
        assert server.password.encode() not in said and b"another-word" not in said


def test_while_the_server_is_away_mail_waits_at_no_cost(tmp_path: Path, server: MailServer) -> None:
    breaker = 'breaker = { failures = 2, minimum_calls = 2, window = "1h", open_for = "300ms", max_open = "300ms" }\n'
    server.data_answers = [DROP] * 4
    with Desk(make_home(tmp_path, settings=settings(server, breaker + QUICK))) as desk:
        ids = [desk.submit("email", WELCOME | {"to": f"p{n}@example.org"}).id for n in range(6)]
        desk.wait(*ids, timeout=60)
        assert set(reads.states(desk.ledger, ids).values()) == {State.COMPLETED}
        assert desk.service("smtp").state is BreakerState.CLOSED
        assert desk.service("smtp").url == f"smtp://127.0.0.1:{server.port}"
        desk.open_service("smtp", "moving house")
        kept = desk.submit("email", WELCOME)
        assert "moving house" in desk.why(kept.id)[0]
        desk.close_service("smtp")
        assert desk.wait(kept.id, timeout=60).state is State.COMPLETED
    assert len(server.letters) == 7


def test_mail_waits_in_the_dead_letters_until_it_is_set_up_while_the_consumer_works(
    tmp_path: Path, server: MailServer
) -> None:
    home = make_home(tmp_path)
    with Desk(home) as desk:
        job = desk.wait(desk.submit("email", WELCOME).id, timeout=60)
        assert job.state is State.FAILED and job.error is not None and "[email]" in job.error.message
        (home / "jobdesk.toml").write_text(settings(server))
        until(lambda: "smtp" in desk.config.all_services)
        answer = command(home, "dead", "retry", "error:NotConfigured", "--yes")
        assert answer.code == 0, answer.error
        assert desk.wait(job.id, timeout=60).state is State.COMPLETED


def kill_while_sending(folder: Path, server: MailServer, letters: int, kills: int, seed: int) -> None:
    """Consumers that are killed as letters are under way: each letter comes, and one that comes twice can be told."""
    dice = random.Random(seed)
    home = make_home(folder, settings=settings(server, QUICK))
    desk = Desk(home)
    try:
        ids = [desk.submit("email", WELCOME | {"to": f"p{n}@example.org"}).id for n in range(letters)]
        for _ in range(kills):
            server.open.clear()
            victim = consumer(home, "--workers", "2")
            try:
                seen = server.tried
                until(lambda seen: server.tried > seen or _done(desk, ids), seen)
                if dice.random() < 0.5:  # some die after the server has taken it, before they know
                    server.open.set()
            finally:
                kill(victim)
            server.open.set()
        server.data_answers = [TAKE_AND_DROP]
        assert consumer(home, "--drain").wait(120) == 0
        assert _done(desk, ids)
    finally:
        server.open.set()
        desk.close()
    came = {f"p{n}@example.org": set[str]() for n in range(letters)}
    for letter in server.letters:
        came[str(letter["To"])].add(str(letter["Message-ID"]))
    assert [len(one) for one in came.values()] == [1] * letters
    assert set[str]().union(*came.values()) == {f"<{id_}@example.org>" for id_ in ids}


def _done(desk: Desk, ids: list[str]) -> bool:
    return set(reads.states(desk.ledger, ids).values()) == {State.COMPLETED}


def test_kill_9_while_sending_loses_no_letter(tmp_path: Path, server: MailServer) -> None:
    kill_while_sending(tmp_path, server, letters=6, kills=2, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_many_kills_while_sending_lose_no_letter(tmp_path: Path, server: MailServer, seed: int) -> None:
    kill_while_sending(tmp_path, server, letters=30, kills=12, seed=seed)


def test_commands_about_templates(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert "Hello Ada," in command(home, "mail", "preview", "welcome", "name=Ada").out
    page = tmp_path / "page.html"
    answer = command(home, "mail", "preview", "welcome", "name=Ada", "--html", str(page), "--json")
    assert answer.json["html"] == page.read_text().rstrip("\n") or answer.json["html"] == page.read_text()
    assert "style=" in page.read_text() and answer.json["subject"] == "Welcome, Ada"
    missing, unknown = command(home, "mail", "preview", "welcome"), command(home, "mail", "preview", "nothing")
    assert missing.code == 2 and "needs 'name'" in missing.error and unknown.code == 4
    rows = command(home, "mail", "templates", "--json").json
    assert {row["name"] for row in rows} >= {"daily_reminder", "notice", "password-reset", "welcome"}
    assert command(home, "mail", "test").code == 2
