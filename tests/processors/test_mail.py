"""Mail, through a real server on loopback."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.errors import PayloadError
from jobdesk.core.outcome import Failed
from jobdesk.desk import Desk
from jobdesk_processors import mail
from tests.support.context import Bench, Ran, bench
from tests.support.home import consumer, end, make_home, said, until
from tests.support.smtp import MailServer, mail_server

WELCOME = {
    "to": "ada@example.org",
    "template": "welcome",
    "data": {"name": "Ada", "url": "https://example.org/x?a=1&b=2"},
}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path, server: MailServer) -> Bench:
    return _desk(tmp_path, server)


def _desk(tmp_path: Path, server: MailServer, **over: Any) -> Bench:
    made = bench(tmp_path / "home", mail)
    made.settings["email"] |= {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "sender": "Shop <shop@example.org>",
    }
    made.settings["email"] |= {"timeout": 30.0} | over
    return made


def failed(ran: Ran) -> Failed:
    assert isinstance(ran.outcome, Failed)
    return ran.outcome


def test_a_letter_has_subject_text_and_page_with_its_styles_inside(desk: Bench, server: MailServer) -> None:
    result = desk.run("email", WELCOME | {"cc": ["Eve <eve@example.org>"], "bcc": ["joe@example.org"]}).result
    (letter,) = server.letters
    assert letter["Subject"] == "Welcome, Ada" and letter["From"] == "Shop <shop@example.org>"
    assert sorted(server.recipients[0]) == ["ada@example.org", "eve@example.org", "joe@example.org"]
    assert letter["Bcc"] is None and "joe@" not in letter.as_string()
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None and "https://example.org/x?a=1&b=2" in text.get_content()
    assert page is not None and 'style="' in page.get_content() and "<style" not in page.get_content()
    assert "a=1&amp;b=2" in page.get_content()
    assert result["message_id"] == letter["Message-ID"] and len(result["accepted"]) == 3


def test_what_a_person_wrote_is_escaped_in_the_page_only(desk: Bench, server: MailServer) -> None:
    desk.run("email", WELCOME | {"data": {"name": "<b>Ada</b>"}})
    page, text = server.letters[0].get_body(("html",)), server.letters[0].get_body(("plain",))
    assert page and "&lt;b&gt;Ada" in page.get_content() and text and "<b>Ada</b>" in text.get_content()


def test_attachments_arrive_as_they_are(desk: Bench, server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 \x00\xff")
    desk.run(
        "email", {"to": "ada@example.org", "subject": "Bill", "text": "Here.", "attachments": [str(tmp_path / "a.pdf")]}
    )
    (one,) = server.letters[0].iter_attachments()
    assert (one.get_filename(), one.get_content_type(), one.get_content()) == (
        "a.pdf", "application/pdf", b"%PDF-1.4 \x00\xff"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"to": "ada"}, "no mail address"),
        ({"to": ["ada@example.org", "eve@@example.org"]}, "no mail address"),
        ({"to": []}, "at least 1"),
        ({"to": "ada@example.org\nBcc: eve@example.org"}, "no mail address"),
        ({"template": "welcom"}, "there is no template 'welcom': there are notice, password-reset, welcome"),
        ({"template": "../secret"}, "there is no template"),
        ({"data": {}}, "template 'welcome' needs 'name'"),
        ({"subject": "a\nBcc: eve@example.org"}, "one line"),
        ({"attachments": ["/nowhere/a.pdf"]}, "there is no file"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_submitted(desk: Bench, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        desk.run("email", WELCOME | wrong)


@pytest.mark.parametrize(("answer", "again"), [("554 no spam here", False), ("451 try later", True)])
def test_codes_of_500_are_for_good_and_those_of_400_are_not(
    desk: Bench, server: MailServer, answer: str, again: bool
) -> None:
    server.data_answers.append(answer)
    error = failed(desk.run("email", WELCOME)).error
    assert error.retryable is again and answer in error.message and server.letters == []


def test_refused_recipients_are_said_and_those_refused_for_now_get_it_later(desk: Bench, server: MailServer) -> None:
    server.answers = {"eve@example.org": "550 nobody of that name", "joe@example.org": "452 full"}
    ran = desk.run("email", WELCOME | {"to": ["ada@example.org", "eve@example.org", "joe@example.org"]})
    assert (
        ran.result["accepted"] == ["ada@example.org"]
        and "nobody of that name" in ran.result["refused"]["eve@example.org"]
    )
    (later,) = ran.children
    assert later["data"]["to"] == ["joe@example.org"] and later["delay"] == "5m"
    error = failed(desk.run("email", WELCOME | {"to": "eve@example.org"})).error
    assert not error.retryable and "550" in error.message
    assert failed(desk.run("email", WELCOME | {"to": "joe@example.org"})).error.retryable


def test_a_server_that_is_away_is_tried_again(desk: Bench) -> None:
    desk.settings["email"]["port"] = 1
    assert failed(desk.run("email", WELCOME)).error.retryable


def test_without_settings_a_job_says_what_to_set(tmp_path: Path) -> None:
    error = failed(bench(tmp_path / "home", mail).run("email", WELCOME)).error
    assert not error.retryable and "set host" in error.message and "[email]" in error.message


def test_too_much_is_refused(desk: Bench, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5_000)
    letter = WELCOME | {"attachments": [str(tmp_path / "big")]}
    desk.settings["email"]["max_attachment_bytes"] = 4_000
    assert "more than 4,000 bytes" in failed(desk.run("email", letter)).error.message
    desk.settings["email"] |= {"max_attachment_bytes": 10_000, "max_message_bytes": 6_000}
    assert "max_message_bytes" in failed(desk.run("email", letter)).error.message


def test_own_templates_come_before_the_built_in_ones(desk: Bench, server: MailServer) -> None:
    own = desk.home / "templates"
    own.mkdir()
    (own / "welcome.subject.txt").write_text("Hi {{ name }}")
    (own / "bill.subject.txt").write_text("Bill {{ number }}")
    (own / "bill.txt").write_text("{{ lines | join('\n') }}")
    desk.run("email", WELCOME)
    desk.run("email-sending", {"to": "ada@example.org", "template": "bill", "data": {"number": 7, "lines": ["a", "b"]}})
    assert [letter["Subject"] for letter in server.letters] == ["Hi Ada", "Bill 7"]
    (own / "bad.subject.txt").write_text("{{ ''.__class__.__mro__ }}")
    (own / "bad.txt").write_text("x")
    with pytest.raises(PayloadError, match="bad"):
        desk.run("email", {"to": "ada@example.org", "template": "bad"})


def test_many_get_a_job_each_and_nobody_two(desk: Bench, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("to,name\nada@example.org,Ada\nEVE@example.org,Eve\n")
    ran = desk.run(
        "bulk-email",
        {"template": "welcome", "file": str(tmp_path / "people.csv"), "data": {"url": "https://example.org"},
         "recipients": [{"to": "eve@example.org", "data": {"name": "Eve"}}]},
    )  # fmt: skip
    assert ran.result == {"recipients": 3, "letters": 2, "twice": 1, "wrong": []}
    assert [(child["type"], child["data"]["to"], child["data"]["data"]["name"]) for child in ran.children] == [
        ("email", "eve@example.org", "Eve"), ("email", "ada@example.org", "Ada")
    ]  # fmt: skip
    with pytest.raises(PayloadError, match="no mail address"):
        desk.run("bulk-email", {"template": "welcome", "recipients": [{"to": "eve"}]})
    with pytest.raises(PayloadError, match=r"eve@example\.org: template 'welcome' needs 'name'"):
        desk.run("bulk-email", {"template": "welcome", "recipients": [{"to": "eve@example.org"}]})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key", "-out", folder / "cert",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return folder / "cert", context


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_and_login(tmp_path: Path, certificate: tuple[Path, ssl.SSLContext], security: str) -> None:
    file, context = certificate
    how = {"tls": context} if security == "tls" else {"starttls": context}
    with mail_server(login=True, **how) as server:
        login = {"username": "ada", "password": server.password, "security": security, "ca_file": str(file)}
        assert _desk(tmp_path, server, **login).run("email", WELCOME).result["accepted"] == ["ada@example.org"]
        wrong = failed(_desk(tmp_path, server, **login | {"password": "wrong"}).run("email", WELCOME)).error
        assert not wrong.retryable and "535" in wrong.message
        untrusted = failed(_desk(tmp_path, server, **login | {"ca_file": ""}).run("email", WELCOME)).error
        assert not untrusted.retryable and "certificate is not trusted" in untrusted.message


def test_through_a_consumer_with_the_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(login=True) as server:
        monkeypatch.setenv("SMTP_PASSWORD", server.password)
        home = make_home(
            tmp_path,
            settings=f'[email]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nusername = "ada"\n'
            'password = "${env:SMTP_PASSWORD}"\nsender = "shop@example.org"\n',
        )
        server.data_answers.append("451 not now")
        desk = Desk(home)
        working = consumer(home)
        try:
            people = [{"to": f"p{n}@example.org", "data": {"name": f"P{n}"}} for n in range(5)]
            bulk = desk.submit("bulk-email", {"template": "welcome", "recipients": people})
            until(lambda: len(server.letters) == 4)
            again = desk.jobs("type:email state:retrying").jobs
            assert len(again) == 1 and "451 not now" in str(desk.job(again[0].id).error)
            assert desk.job(bulk.id).state == "completed"
        finally:
            end(working)
            desk.close()
        assert sorted(letter["To"] for letter in server.letters)[0].startswith("p")
        assert server.password.encode() not in b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())


def test_a_preview_sends_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert "Hello Ada," in said(home, "mail", "preview", "welcome", "name=Ada").out
    assert "style=" in said(home, "mail", "preview", "welcome", "name=Ada", "--html").out
    assert said(home, "mail", "preview", "welcome").code == 2 and said(home, "mail", "preview", "nothing").code == 4
    assert {row["name"] for row in said(home, "mail", "templates", "--json").json} == {
        "notice",
        "password-reset",
        "welcome",
    }
