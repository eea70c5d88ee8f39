"""Handing a mail to the SMTP server of the settings, and understanding what it answers.

Codes of 500 and above are for good; those of 400 and above, and a server that cannot be reached, are tried again. A
connection that breaks after the letter was sent leaves open whether it arrived: it is sent again, under the same
Message-ID, by which the receiving side knows it.
"""

import smtplib
import ssl
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from jobdesk import Reject, Retry


@dataclass(slots=True)
class Sent:
    """Whom the server took the letter for, and whom it refused, with its words."""

    accepted: list[str]
    refused: dict[str, str] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    """Refused for now: the server may take it for them another time."""
    bytes: int = 0


def check(settings: Mapping[str, Any]) -> None:
    """See that mail is set up.

    Raises:
        Reject: it is not; says what to set.
    """
    for key, example in (("host", "smtp.example.org"), ("sender", "Shop <shop@example.org>")):
        if not settings[key]:
            said = f'mail is not set up: set {key} = "{example}" in [email] of jobdesk.toml'
            raise Reject(said, reason="not-configured")


def send(settings: Mapping[str, Any], letter: EmailMessage) -> Sent:
    """Send a letter to all in its To, Cc and Bcc.

    Raises:
        Reject: the server refuses it for good.
        Retry, OSError: it may take it later.
    """
    named = [str(one) for name in ("To", "Cc", "Bcc") for one in letter.get_all(name, [])]
    people = [address for _, address in getaddresses(named)]
    letter = copy(letter)
    del letter["Bcc"]
    size = len(letter.as_bytes())
    if size > settings["max_message_bytes"]:
        most = settings["max_message_bytes"]
        raise Reject(f"the mail has {size:,} bytes, more than the {most:,} of email.max_message_bytes", reason="size")
    try:
        with _connected(settings) as server:
            refused = server.send_message(letter, to_addrs=people)
    except smtplib.SMTPRecipientsRefused as error:
        raise _all_refused(error.recipients) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Reject(f"the mail server cannot do that ({error}): check security in [email]", reason="smtp") from None
    except smtplib.SMTPResponseException as error:
        raise _answer(error.smtp_code, error.smtp_error) from None
    except ssl.SSLCertVerificationError as error:
        raise Reject(f"the mail server's certificate is not trusted ({error.verify_message})", reason="tls") from None
    return Sent(
        accepted=[one for one in people if one not in refused],
        refused={one: _words(*why) for one, why in refused.items()},
        later=[one for one, (code, _) in refused.items() if code < 500],
        bytes=size,
    )


def _connected(settings: Mapping[str, Any]) -> smtplib.SMTP:
    host, port, timeout_s = settings["host"], int(settings["port"]), float(settings["timeout"])
    security = settings["security"]
    tls = None if security == "none" else ssl.create_default_context(cafile=settings["ca_file"] or None)
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


def _all_refused(recipients: Mapping[str, tuple[int, bytes]]) -> Exception:
    said = "; ".join(f"{one}: {_words(*why)}" for one, why in recipients.items())
    if all(code >= 500 for code, _ in recipients.values()):
        return Reject(f"the mail server refused every recipient: {said}", reason="recipient")
    return Retry(f"the mail server takes no recipient now: {said}")


def _answer(code: int, said: bytes | str) -> Exception:
    words = f"the mail server answered {_words(code, said)}"
    return Reject(words, reason=f"smtp-{code}") if code >= 500 else Retry(words)


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:500]
