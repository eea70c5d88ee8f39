"""The token that programs show, and who may ask from where."""

import hmac
import ipaddress
import os
import secrets
import stat
from pathlib import Path

from jobdesk.core import env
from jobdesk.core.errors import HomeError, UsageError
from jobdesk.core.redaction import everywhere
from jobdesk.home import Home
from jobdesk.sections.http import HttpSettings

LOCAL = "localhost"
_SHORTEST = 16


def token(home: Home, settings: HttpSettings, *, read_only: bool) -> str:
    """The token of a home: of the settings, or of its file, which is made (0600) if it is not there.

    Raises:
        UsageError: it is too short to be one, or there is none and none can be made.
        ConfigError: the settings name a variable that is not set.
        HomeError: the file cannot be read, others may read it, or it cannot be made.
    """
    if settings.token:
        found, where = str(env.put_in(settings.token)), f"what token of [http] names ({settings.token})"
    else:
        found, where = _of_file(home.http_token, read_only), str(home.http_token)
    if len(found) < _SHORTEST or not found.isascii() or not found.isprintable() or " " in found:
        raise UsageError(f"{where} is no token: it takes {_SHORTEST} or more printable letters without spaces")
    everywhere.know([found], always=True)
    return found


def _of_file(path: Path, read_only: bool) -> str:
    try:
        if read_only and not path.exists():
            raise UsageError(
                f"there is no {path.name} in the home, and with --read-only none is made: run `jobdesk serve` once "
                "without it, or name a token in [http] of the settings"
            )
        if not path.exists():
            _make(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise HomeError(f"others may read the token in {path} (mode {mode:o}): run chmod 600 {path}")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HomeError(f"{path} cannot be used ({getattr(error, 'strerror', None) or error}): mend it") from None


def _make(path: Path) -> None:
    """Make the file with a token in it, whole or not at all; of several processes that do, the first has its way."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as stream:
        stream.write(secrets.token_urlsafe(32) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def is_shown(authorization: str, wanted: str) -> bool:
    """Whether `Authorization: Bearer …` shows the token; takes the same time however much of it is right."""
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == LOCAL


def name_of(host_header: str) -> str:
    """The name in a Host header or an origin's end, without its port, in small letters."""
    text = host_header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def is_ours(host_header: str, names: frozenset[str]) -> bool:
    """Whether a Host header can be no other site's name: an address, localhost, or one of these names.

    A page of another site may have its own name point to this machine (DNS rebinding); then that is what Host says.
    """
    name = name_of(host_header)
    if name == LOCAL or name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
