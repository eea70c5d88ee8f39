"""The keys that secrets are encrypted with, and what is done with them: seal, open, make a mark of.

A home's keys are made when the first secret is stored. They lie in HOME/secret.key (0600), or in the keyring of the
operating system, and the file says under which name; or $JOBDESK_SECRET_KEY has them, newest first, with commas in
between. The first key encrypts, all of them open. A token names its key by eight letters, so that a missing one is
told from a damaged token.

The libraries are imported when a secret is there: most homes have none.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobdesk.core.errors import ReadOnly, Refused, SecretError
from jobdesk.core.redaction import TOKEN, everywhere
from jobdesk.core.secret import opened
from jobdesk.ledger.read_only import REFUSED

FILE = "secret.key"
VARIABLE = "JOBDESK_SECRET_KEY"
SERVICE = "jobdesk"
"""Under which name the keyring of the system has our keys."""
_PREFIX = "jdsecret"
_NEED_KEYRING = 'the keys are in the keyring of the system, which needs a library: pip install "jobdesk[keyring]"'


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys, newest first; `mark` makes equal marks of equal values, and stays when keys change."""

    keys: tuple[str, ...]
    mark: str
    rotating: bool = False
    """A rotation has made the first key and is not through with the ledger."""
    keyring: str | None = None
    """The name in the keyring, where they lie there."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(map(name_of, self.keys))


def name_of(key: str) -> str:
    """What tokens call a key: it says nothing of the key itself."""
    return hashlib.blake2s(key.encode(), digest_size=4, person=b"jobdesk").hexdigest()


def from_environment(environment: Mapping[str, str] = os.environ) -> Keys | None:
    """The keys that the environment has; None if it has none.

    Raises:
        SecretError: what it has is no key.
    """
    given = [word.strip() for word in environment.get(VARIABLE, "").split(",") if word.strip()]
    if not given:
        return None
    everywhere.know(given, always=True)
    for key in given:
        _check(key, f"${VARIABLE}")
    return Keys(tuple(given), hashlib.blake2s(given[-1].encode(), person=b"mark").hexdigest())


class Vault:
    """Seals and opens the secrets of one home. Any thread and process may use it.

    Args:
        home: the folder of the home.
        store: where new keys go: "file" or "keyring"; asked when the first is made.
        read_only: keys are neither made nor changed.
    """

    def __init__(
        self,
        home: Path,
        store: Callable[[], str] = lambda: "file",
        environment: Mapping[str, str] = os.environ,
        *,
        read_only: bool = False,
    ) -> None:
        self._read_only = read_only
        self._home = home
        self.file = home / FILE
        self._store = store
        self._environment = environment
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int], Keys] | None = None

    # ── what it is for ──

    def seal(self, text: str) -> str:
        """Encrypt a text; keys are made if there are none. The token is different each time.

        Raises:
            SecretError: there is no key, and none can be made.
        """
        from cryptography.fernet import Fernet

        key = (self.keys() or self._first()).keys[0]
        return f"{_PREFIX}.{name_of(key)}.{Fernet(key).encrypt(text.encode()).decode()}"

    def open(self, token: str) -> str:
        """What was sealed.

        Raises:
            SecretError: its key is not here any more, or it is damaged.
        """
        from cryptography.fernet import Fernet, InvalidToken

        _, name, sealed = token.split(".", 2)
        key = self._named(name)
        if key is None:
            raise SecretError(
                f"the key {name} that this secret was encrypted with is not there any more: bring {self.file} (or "
                f"${VARIABLE}) back as it was, or submit the job again with the secret"
            )
        try:
            return Fernet(key).decrypt(sealed).decode()
        except InvalidToken:
            raise SecretError("an encrypted secret is damaged: submit the job again with the secret") from None

    def _named(self, name: str) -> str | None:
        for _ in range(2):
            known = self.keys()
            for key in known.keys if known is not None else ():
                if name_of(key) == name:
                    return key
            with self._lock:  # keyring and file may be a moment apart
                self._read = None
        return None

    def mark(self, text: str) -> str:
        """What stands for a key of a job (unique, concurrency) that has secrets in it: the same for the same text."""
        keys = self.keys() or self._first()
        plain = TOKEN.sub(lambda found: str(opened(found[0], self.open)), text)
        return "hmac:" + hmac.new(keys.mark.encode(), plain.encode(), "sha256").hexdigest()[:40]

    # ── keys ──

    def keys(self) -> Keys | None:
        """The keys as they are now; None if none were made yet. A look at the file, no more, if it is as it was.

        Raises:
            SecretError: they cannot be read, or others could.
        """
        given = from_environment(self._environment)
        if given is not None:
            return given
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SecretError(f"{self.file} cannot be read ({error.strerror}): mend it") from None
        seen = found.st_mtime_ns, found.st_size, found.st_ino
        with self._lock:
            if self._read is None or self._read[0] != seen:
                if stat.S_IMODE(found.st_mode) & 0o077:
                    raise SecretError(f"others may read the keys in {self.file}: run chmod 600 {self.file}")
                self._read = seen, self._load()
            return self._read[1]

    def _load(self) -> Keys:
        try:
            text = self.file.read_text("utf-8")
            said = json.loads(text)
            where = said.get("keyring")
            if where is not None:
                said = json.loads(_keyring().get_password(SERVICE, where) or "{}")
            keys = Keys(tuple(said["keys"]), str(said["mark"]), bool(said.get("rotating")), where)
        except OSError as error:
            raise SecretError(f"{self.file} cannot be read ({error.strerror}): mend it") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SecretError(f"{self.file} does not hold keys of jobdesk: bring it back as it was") from None
        for key in keys.keys:
            _check(key, str(self.file))
        everywhere.know([*keys.keys, keys.mark], always=True)
        return keys

    def _first(self) -> Keys:
        """Make the first keys; of several processes that do, one has its way."""
        with self.alone(wait=True):
            there = self.keys()
            if there is None:
                self.write(Keys((new_key(),), secrets.token_hex(32), keyring=self._name()))
                there = self.keys()
            assert there is not None
            return there

    def _name(self) -> str | None:
        return f"{self._home.name}-{secrets.token_hex(8)}" if self._store() == "keyring" else None

    def write(self, keys: Keys) -> None:
        """Put keys in the place of those that are there, for good before this returns.

        Raises:
            SecretError: they cannot be written.
        """
        said = json.dumps({"keys": keys.keys, "mark": keys.mark, "rotating": keys.rotating})
        if keys.keyring is not None:
            try:
                _keyring().set_password(SERVICE, keys.keyring, said)
            except SecretError:
                raise
            except Exception as error:  # each backend has its own
                raise SecretError(
                    f"the keyring of this system takes no key ({error}): unlock it, or set secrets.store to file"
                ) from None
            said = json.dumps({"keyring": keys.keyring})
        new = self.file.with_name(f"{FILE}.{os.getpid()}")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as stream:
                stream.write(said + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self.file)
            folder = os.open(self._home, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise SecretError(f"{self.file} cannot be written ({error.strerror}): make the home writable") from None
        with self._lock:
            self._read = None

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Change keys with nobody else doing so.

        Raises:
            Refused: somebody does, and `wait` is false.
            ReadOnly: nothing may be changed.
        """
        if self._read_only:
            raise ReadOnly(REFUSED)
        try:
            lock = os.open(self._home / "run" / "secrets.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SecretError(f"the home {self._home} cannot be written ({error.strerror}): mend it") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            os.close(lock)
            raise Refused("another rotation of the keys is under way: wait for it") from None
        try:
            yield
        finally:
            os.close(lock)

    def begin_rotation(self) -> Keys:
        """Make a new first key, unless a rotation that was cut short has; what was second before goes.

        Raises:
            Refused: the keys are the environment's.
        """
        keys = self.keys() or self._first()
        if from_environment(self._environment) is not None or keys.rotating:
            return keys  # the environment's first key is the new one already
        self.write(replace(keys, keys=(new_key(), keys.keys[0]), rotating=True))
        begun = self.keys()
        assert begun is not None
        return begun

    def end_rotation(self) -> None:
        """All is under the first key. The one before it stays: a submission of this moment may have used it."""
        keys = self.keys()
        if keys is not None and keys.rotating:
            self.write(replace(keys, rotating=False))


def again(token: str, vault: Vault) -> str:
    """The same secret under the first key."""
    return vault.seal(vault.open(token))


def current(token: str, names: Sequence[str]) -> bool:
    """Whether a token is under the first key."""
    return token.split(".", 2)[1] == names[0]


def new_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _check(key: Any, where: str) -> None:
    from cryptography.fernet import Fernet

    try:
        Fernet(key)
    except (ValueError, TypeError):
        raise SecretError(f"{where} is not a key: it takes 32 bytes as URL-safe base64, as Fernet has them") from None


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise SecretError(_NEED_KEYRING) from None
    return keyring
