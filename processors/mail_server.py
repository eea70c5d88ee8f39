"""Handing a mail to the SMTP server of the settings, and understanding what it answers.

Codes of 500 and above are for good; those of 400 and above, and a server that cannot be reached, are tried again. A
connection that breaks after the letter was sent leaves open whether it arrived: it is sent again, under the same
Message-ID, by which the receiving side knows it.
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from jobdesk import Reject, Retry

GOING = 421
"""The server closes the connection: it is overloaded, or stops."""
_PERMANENT = 500


@dataclass(slots=True)
class Sent:
    """Whom the server took the letter for, and whom it refused, with its words."""

    accepted: list[str]
    refused: dict[str, str] = field(default_factory=dict)
    """For good."""
    later: dict[str, str] = field(default_factory=dict)
    """For now: the server may take it for them another time."""


def check(settings: Mapping[str, Any]) -> None:
    """See that mail is set up.

    Raises:
        Reject: it is not; says what to set.
    """
    for key, example in (("host", "smtp.example.org"), ("sender", "Shop <shop@example.org>")):
        if not settings[key]:
            raise Reject(
                f'mail is not set up: set {key} = "{example}" in [email] of jobdesk.toml, then try again with '
                "`jobdesk dead retry error:NotConfigured`",
                reason="NotConfigured",
            )


def send(settings: Mapping[str, Any], letter: EmailMessage, people: Sequence[str]) -> Sent:
    """Send a letter to some people, whomever its headers name.

    Raises:
        Reject: the server refuses it for good, or cannot be trusted.
        Retry: it may take it later.
        ConnectionError, TimeoutError: it cannot be reached, or goes away.
    """
    with _explained(settings):
        server = _connected(settings)
        try:
            refused = server.send_message(letter, to_addrs=list(people))
            with suppress(OSError):  # it has the letter: how it says goodbye matters to nobody
                server.docmd("QUIT")
        finally:
            server.close()
    return Sent(
        accepted=[one for one in people if one not in refused],
        refused={one: _words(*why) for one, why in refused.items() if why[0] >= _PERMANENT},
        later={one: _words(*why) for one, why in refused.items() if why[0] < _PERMANENT},
    )


def greet(settings: Mapping[str, Any]) -> str:
    """Connect and log in, as for a letter, and send none; how that went, in words.

    Raises:
        Reject, Retry, ConnectionError, TimeoutError: as of `send`.
    """
    with _explained(settings):
        server = _connected(settings)
        try:
            server.noop()
            secured = {"tls": "TLS", "starttls": "TLS by STARTTLS", "none": "no TLS"}[settings["security"]]
            login = f"logged in as {settings['username']}" if settings["username"] else "no login"
            return f"{_place(settings)} takes mail: {secured}, {login}"
        finally:
            server.close()


def _place(settings: Mapping[str, Any]) -> str:
    return f"the mail server {settings['host']}:{settings['port']}"


def _connected(settings: Mapping[str, Any]) -> smtplib.SMTP:
    host, port, timeout_s = settings["host"], int(settings["port"]), float(settings["timeout"])
    security = settings["security"]
    tls = None if security == "none" else _context(settings["ca_file"])
    server: smtplib.SMTP
    if security == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=tls)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout_s)
    try:
        if security == "starttls":
            server.starttls(context=tls)
        if settings["username"]:
            server.login(settings["username"], settings["password"])
    except BaseException:
        server.close()
        raise
    return server


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise Reject(f"email.ca_file {ca_file} cannot be read as certificates ({error})", reason="tls") from None


@contextmanager
def _explained(settings: Mapping[str, Any]) -> Iterator[None]:
    """What smtplib raises, as what becomes of the job."""
    place = _place(settings)
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _all_refused(place, error.recipients) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Reject(f"{place} cannot do that ({error}): check security in [email]", reason="smtp") from None
    except smtplib.SMTPResponseException as error:
        raise _answer(place, error) from None
    except smtplib.SMTPServerDisconnected as error:
        raise ConnectionError(f"{place} closed the connection ({error})") from None
    except smtplib.SMTPException as error:
        raise Reject(f"{place} cannot be used: {error}", reason="smtp") from None
    except ssl.SSLCertVerificationError as error:
        said = f"the certificate of {place} is not trusted ({error.verify_message}): see ca_file in [email]"
        raise Reject(said, reason="tls") from None
    except TimeoutError:
        raise TimeoutError(f"{place} did not answer within {settings['timeout']:g} s") from None
    except OSError as error:
        raise ConnectionError(f"{place} cannot be reached ({error.strerror or error})") from None


def _all_refused(place: str, recipients: Mapping[str, tuple[int, bytes]]) -> Exception:
    said = "; ".join(f"{one}: {_words(*why)}" for one, why in recipients.items())
    codes = {code for code, _ in recipients.values()}
    if GOING in codes:
        return ConnectionError(f"{place} closed the connection: {said}")
    if min(codes) >= _PERMANENT:
        return Reject(f"{place} refused every recipient: {said}", reason="recipient")
    return Retry(f"{place} takes no recipient now: {said}")


def _answer(place: str, error: smtplib.SMTPResponseException) -> Exception:
    code, words = error.smtp_code, _words(error.smtp_code, error.smtp_error)
    if code == GOING or code < 0:
        return ConnectionError(f"{place} closed the connection: {words}")
    if code < _PERMANENT:
        return Retry(f"{place} takes no mail now: {words}")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Reject(f"{place} refused username and password of [email]: {words}", reason="AuthenticationFailed")
    return Reject(f"{place} refused the mail: {words}", reason=f"smtp-{code}")


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:500]
