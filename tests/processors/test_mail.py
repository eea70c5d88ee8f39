"""Mail, through a real server on loopback: what it says, whom it reaches, what the server's answers mean."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.errors import PayloadError
from jobdesk.core.outcome import Failed
from jobdesk_processors import mail, mail_bulk
from tests.support.context import Bench, Ran, bench
from tests.support.mail import WELCOME, mail_bench
from tests.support.smtp import DROP, TAKE_AND_DROP, MailServer, mail_server

PLAIN = {"to": "ada@example.org", "subject": "Bill", "text": "Here."}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path, server: MailServer) -> Bench:
    return mail_bench(tmp_path, server)


def failed(ran: Ran) -> Failed:
    assert isinstance(ran.outcome, Failed)
    return ran.outcome


def test_a_letter_has_subject_text_and_page_with_its_styles_inside(desk: Bench, server: MailServer) -> None:
    ran = desk.run("email", WELCOME | {"cc": ["Eve <eve@example.org>"], "bcc": "joe@example.org"})
    (letter,) = server.letters
    assert letter["Subject"] == "Welcome, Ada" and letter["From"] == "Shop <shop@example.org>"
    assert sorted(server.recipients[0]) == ["ada@example.org", "eve@example.org", "joe@example.org"]
    assert letter["Cc"] == "Eve <eve@example.org>" and letter["Bcc"] is None and "joe@" not in letter.as_string()
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None and "https://example.org/x?a=1&b=2" in text.get_content()
    assert page is not None and 'style="' in page.get_content() and "<style" not in page.get_content()
    assert "a=1&amp;b=2" in page.get_content()
    assert ran.result["message_id"] == letter["Message-ID"] == f"<{ran.id}@example.org>"
    assert len(ran.result["accepted"]) == 3


def test_what_a_person_wrote_is_escaped_in_the_page_only(desk: Bench, server: MailServer) -> None:
    desk.run("email", WELCOME | {"data": {"name": "<b>Ada</b>"}})
    page, text = server.letters[0].get_body(("html",)), server.letters[0].get_body(("plain",))
    assert page and "&lt;b&gt;Ada" in page.get_content() and text and "<b>Ada</b>" in text.get_content()


def test_a_page_without_a_text_gets_one_and_fetches_nothing(desk: Bench, server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "evil.css").write_text("p { color: red }")
    page = (
        f'<html><head><link rel="stylesheet" href="file://{tmp_path}/evil.css"><style>p {{ margin: 0 }} '
        "@media (max-width: 9px) { p { margin: 1px } }</style></head><body><p>Dear &amp; near</p>"
        '<ul><li>one<li>two</ul><a href="https://example.org">Look</a></body></html>'
    )
    desk.run("email", PLAIN | {"text": None, "html": page})
    text, made = server.letters[0].get_body(("plain",)), server.letters[0].get_body(("html",))
    assert text and text.get_content().split("\n")[0] == "Dear & near"
    assert "- one\n- two" in text.get_content() and "Look (https://example.org)" in text.get_content()
    assert made and "margin: 0" in made.get_content() and "@media" in made.get_content()
    assert "red" not in made.get_content()


def test_attachments_arrive_as_they_are_under_the_names_and_types_given(
    desk: Bench, server: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 \x00\xff")
    (tmp_path / "b.tar.gz").write_bytes(b"\x1f\x8b")
    other = {"path": str(tmp_path / "a.pdf"), "name": "Über.bin", "type": "application/x-own"}
    desk.run("email", PLAIN | {"attachments": [str(tmp_path / "a.pdf"), str(tmp_path / "b.tar.gz"), other]})
    found = [
        (one.get_filename(), one.get_content_type(), one.get_content()) for one in server.letters[0].iter_attachments()
    ]
    assert found == [
        ("a.pdf", "application/pdf", b"%PDF-1.4 \x00\xff"),
        ("b.tar.gz", "application/octet-stream", b"\x1f\x8b"),
        ("Über.bin", "application/x-own", b"%PDF-1.4 \x00\xff"),
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"to": "ada"}, "no mail address"),
        ({"to": ["ada@example.org", "eve@@example.org"]}, "'to.1' is wrong: it is no mail address"),
        ({"to": []}, "at least 1"),
        ({"to": "ada@example.org\nBcc: eve@example.org"}, "no mail address"),
        ({"to": "ada@localhost"}, "no mail address"),
        ({"template": "welcom"}, "there is no template 'welcom': there are daily_reminder, notice, password-reset"),
        ({"template": "../secret"}, "there is no template"),
        ({"template": None}, "'data' is wrong: it is for a template"),
        ({"template": None, "data": {}}, "the mail says nothing"),
        ({"template": None, "data": {}, "text": "x"}, "'subject' is wrong: a mail without a template needs one"),
        ({"data": {}}, "template 'welcome' needs 'name'"),
        ({"data": {"name": "Ada", "ulr": "x"}}, "does not take 'ulr': it takes footer, name, url, userName"),
        ({"subject": "a\nBcc: eve@example.org"}, "one line"),
        ({"attachments": ["/nowhere/a.pdf"]}, "there is no file"),
        ({"attachments": [{"path": "/etc/hostname", "type": "multipart/mixed"}]}, "no content type of a file"),
        ({"unsubscribe": "http://example.org"}, "https:// or mailto:"),
        ({"priority": "soon"}, "'urgent', 'high', 'normal' or 'low'"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_submitted(desk: Bench, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        desk.run("email", WELCOME | wrong)


def test_names_and_domains_of_any_alphabet_reach_the_server_in_ascii(desk: Bench, server: MailServer) -> None:
    desk.run("email", PLAIN | {"to": ["Jörg <ada@müller.de>", '"Lee, Ann" <ann@example.org>'], "subject": "Grüße"})
    assert server.recipients[0] == ["ada@xn--mller-kva.de", "ann@example.org"]
    assert server.letters[0]["Subject"] == "Grüße"
    assert [one.display_name for one in server.letters[0]["To"].addresses] == ["Jörg", "Lee, Ann"]


@pytest.mark.parametrize(("answer", "again"), [("554 no spam here", False), ("451 try later", True), (DROP, True)])
def test_codes_of_500_are_for_good_and_those_of_400_are_not(
    desk: Bench, server: MailServer, answer: str, again: bool
) -> None:
    server.data_answers.append(answer)
    error = failed(desk.run("email", WELCOME)).error
    assert error.retryable is again and server.letters == []
    assert (answer if answer != DROP else "closed the connection") in error.message


def test_a_repeated_letter_has_the_message_id_of_the_first(desk: Bench, server: MailServer) -> None:
    server.data_answers.append(TAKE_AND_DROP)
    first = desk.run("email", WELCOME)
    assert failed(first).error.retryable
    desk.run("email", WELCOME, job=first.id, attempt=2)
    assert len(server.letters) == 2 and len({letter["Message-ID"] for letter in server.letters}) == 1


def test_a_letter_that_was_taken_is_sent_however_the_server_says_goodbye(desk: Bench, server: MailServer) -> None:
    server.quit_answer = "421 go away"
    assert desk.run("email", WELCOME).result["accepted"] == ["ada@example.org"]


def test_refused_recipients_are_said_and_those_refused_for_now_get_the_same_letter_later(
    desk: Bench, server: MailServer
) -> None:
    server.answers = {"eve@example.org": "550 nobody of that name", "joe@example.org": "452 full"}
    three = {"to": ["ada@example.org", "Eve <eve@example.org>"], "bcc": ["joe@example.org"]}
    ran = desk.run("email", WELCOME | three)
    assert ran.result["accepted"] == ["ada@example.org"]
    assert ran.result["refused"] == {"eve@example.org": "550 nobody of that name"}
    (later,) = ran.children
    assert later["data"]["only"] == ["joe@example.org"] and later["delay"] == "5m"
    server.answers = {}
    desk.run("email", later["data"], job=later["id"])
    assert server.recipients == [["ada@example.org"], ["joe@example.org"]]
    assert server.letters[0]["Message-ID"] == server.letters[1]["Message-ID"]
    assert server.letters[0]["To"] == server.letters[1]["To"] and "joe" not in server.letters[1].as_string()


@pytest.mark.parametrize(("answer", "again"), [("550 nobody of that name", False), ("450 greylisted", True)])
def test_a_letter_that_nobody_gets_fails(desk: Bench, server: MailServer, answer: str, again: bool) -> None:
    server.answers = {"ada@example.org": answer}
    error = failed(desk.run("email", WELCOME)).error
    assert error.retryable is again and f"ada@example.org: {answer}" in error.message


def test_a_server_that_is_away_is_tried_again(tmp_path: Path, server: MailServer) -> None:
    server.port = 1
    error = failed(mail_bench(tmp_path, server).run("email", WELCOME)).error
    assert error.retryable and "the mail server 127.0.0.1:1 cannot be reached (Connection refused)" in error.message


@pytest.mark.parametrize("type_", ["email", "email-sending", "bulk-email"])
def test_without_settings_a_job_says_what_to_set(tmp_path: Path, type_: str) -> None:
    data = {"template": "notice", "recipients": []} if type_ == "bulk-email" else PLAIN
    error = failed(bench(tmp_path / "home", mail, mail_bulk).run(type_, data)).error
    assert not error.retryable and error.type == "NotConfigured"
    assert 'set host = "smtp.example.org" in [email]' in error.message


def test_too_much_is_refused(tmp_path: Path, server: MailServer) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5_000)
    letter = PLAIN | {"attachments": [str(tmp_path / "big"), str(tmp_path / "big")]}
    limits = 'max_attachment_bytes = "{}KB"\nmax_message_bytes = "12KB"\n'
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    error = failed(mail_bench(tmp_path / "one", server, limits.format(8)).run("email", letter)).error
    assert "all together may have 8,000" in error.message and not error.retryable
    error = failed(mail_bench(tmp_path / "two", server, limits.format(11)).run("email", letter)).error
    assert "more than the 12,000 of email.max_message_bytes" in error.message and server.tried == 0


def test_own_templates_come_before_the_built_in_ones(desk: Bench, server: MailServer) -> None:
    own = desk.home / "templates"
    own.mkdir()
    (own / "welcome.subject.txt").write_text("Hi {{ guest }}")
    (own / "welcome.txt").write_text("{{ guest }}!")
    (own / "welcome.html").write_text("<p>{{ guest }}</p>")
    (own / "bill.subject.txt").write_text("Bill {{ number }}")
    (own / "bill.txt").write_text("{{ lines | join('\n') }}")
    desk.run("email", WELCOME | {"data": {"guest": "Ada"}})
    desk.run("email-sending", {"to": "ada@example.org", "template": "bill", "data": {"number": 7, "lines": ["a", "b"]}})
    assert [letter["Subject"] for letter in server.letters] == ["Hi Ada", "Bill 7"]
    (own / "bill.txt").write_text("{{ lines | length }} of {{ place }}")
    with pytest.raises(PayloadError, match="template 'bill' needs 'place'"):
        desk.run("email", {"to": "ada@example.org", "template": "bill", "data": {"number": 7, "lines": []}})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ ''.__class__.__mro__ }}", "bad.txt cannot be filled in|unsafe|bad"),
        ("{% if %}", "bad.txt, line 1"),
        ("{% include 'nowhere.txt' %}", "includes nowhere.txt, which does not exist"),
        ("{{ range(10 ** 9) | list }}", "bad.txt cannot be filled in"),
        ("{{ 1 / 0 }}", "bad.txt cannot be filled in"),
    ],
)
def test_a_template_that_is_wrong_says_where(desk: Bench, text: str, says: str) -> None:
    (desk.home / "templates").mkdir()
    (desk.home / "templates" / "bad.subject.txt").write_text("Bad")
    (desk.home / "templates" / "bad.txt").write_text(text)
    with pytest.raises(PayloadError, match=says):
        desk.run("email", {"to": "ada@example.org", "template": "bad"})


def test_a_preview_is_a_file_and_needs_no_server(tmp_path: Path) -> None:
    ran = bench(tmp_path / "home", mail).run("email-preview", {"template": "welcome", "data": {"name": "Ada"}})
    assert ran.result["subject"] == "Welcome, Ada" and ran.artifacts == [ran.result["file"]]
    assert Path(ran.result["file"]).read_bytes().count(b"Welcome, Ada") == 1 and "Hello Ada," in ran.lines


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
def test_tls_and_login(
    tmp_path: Path, certificate: tuple[Path, ssl.SSLContext], security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate
    how = {"tls": context} if security == "tls" else {"starttls": context}
    login = 'username = "ada"\npassword = "${env:SMTP_WORD}"\n'
    with mail_server(login=True, **how) as server:
        monkeypatch.setenv("SMTP_WORD", server.password)
        desk = mail_bench(tmp_path, server, f'{login}ca_file = "{file}"\n', security)
        desk.settings["email"]["password"] = server.password  # a bench puts no environment in
        assert desk.run("email", WELCOME).result["accepted"] == ["ada@example.org"]
        desk.settings["email"]["password"] = "wrong"
        wrong = failed(desk.run("email", WELCOME)).error
        assert not wrong.retryable and "535" in wrong.message and "wrong" not in wrong.message
        desk.settings["email"]["ca_file"] = ""
        untrusted = failed(desk.run("email", WELCOME)).error
        assert not untrusted.retryable and "is not trusted" in untrusted.message
        assert len(server.letters) == 1


def test_a_server_without_starttls_gets_nothing_in_clear(tmp_path: Path, server: MailServer) -> None:
    error = failed(mail_bench(tmp_path, server, security="starttls").run("email", WELCOME)).error
    assert not error.retryable and "STARTTLS" in error.message and server.tried == 0
