"""What a running job knows that must not be said: its secrets, and those of the settings."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobdesk.core import env
from jobdesk.core.outcome import Completed, Failed, Outcome, Snoozed, Stopped
from jobdesk.core.redaction import everywhere, redact
from jobdesk.core.secret import holds, tokens_for
from jobdesk.vault import VARIABLE, Vault

_keys: dict[str, str] = {}
AS_WRITTEN = frozenset({"notify"})
"""Parts of the settings whose references are left to the job: in an address a secret must be quoted."""


def take_keys() -> None:
    """Take the keys of secrets out of the environment: programs that jobs start have no use for them."""
    given = os.environ.pop(VARIABLE, None)
    if given is not None:
        _keys[VARIABLE] = given
        everywhere.know(given.split(","), always=True)


class Privacy:
    """Opens the secrets of jobs of one home, and hides from then on what was in them, in all that this process says:
    what a thread of a former job still prints too.
    """

    __slots__ = ("_home", "_vault")

    def __init__(self, home: str) -> None:
        self._home = home
        self._vault: Vault | None = None

    @property
    def vault(self) -> Vault:
        if self._vault is None:
            self._vault = Vault(Path(self._home), environment={**os.environ, **_keys})
        return self._vault

    def open(self, token: str) -> str:
        return self.vault.open(token)

    def know(self, value: Any) -> None:
        everywhere.know(value)

    def sealed(self, value: Any) -> Any:
        """A value with a token for each `Secret` in it, as it may leave the job."""
        return tokens_for(value, self.vault.seal) if holds(value) else value

    def setting(self, name: str, value: Any) -> Any:
        """A part of the settings with what the environment has put in, which is hidden from then on."""
        if next(env.names(value), None) is None:
            return value
        self.know(env.values(value))
        return value if name in AS_WRITTEN else env.put_in(value)

    def outcome(self, outcome: Outcome) -> Outcome:
        """How a job ended, without the values that are known; errors are free of them before they come here."""
        match outcome:
            case Completed(result):
                return Completed(everywhere.value(result))
            case Failed(error, delay_s, result) if result is not None:
                return Failed(error, delay_s, everywhere.value(result))
            case Snoozed(delay_s, why, service):
                return Snoozed(delay_s, redact(why), service)
            case Stopped(why):
                return Stopped(redact(why))
        return outcome


class SettingsOfJob(Mapping[str, Any]):
    """`ctx.settings`: each part has its secrets put in when it is first asked for."""

    def __init__(self, given: Mapping[str, Any], privacy: Privacy) -> None:
        self._given = given
        self._privacy = privacy
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._privacy.setting(name, self._given[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)
