"""Homes whose mail goes to a server on loopback, and the processors of mail."""

from pathlib import Path

from jobdesk_processors import mail, mail_bulk
from tests.support.context import Bench, bench
from tests.support.home import make_home
from tests.support.smtp import MailServer

WELCOME = {
    "to": "ada@example.org",
    "template": "welcome",
    "data": {"name": "Ada", "url": "https://example.org/x?a=1&b=2"},
}


def settings(server: MailServer, more: str = "", security: str = "none") -> str:
    """`[email]` for a server; `more` are further lines of jobdesk.toml."""
    return (
        f'[email]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "{security}"\n'
        f'sender = "Shop <shop@example.org>"\n{more}'
    )


def mail_bench(folder: Path, server: MailServer, more: str = "", security: str = "none") -> Bench:
    """A bench whose home has these settings."""
    return bench(make_home(folder, settings=settings(server, more, security)), mail, mail_bulk)
