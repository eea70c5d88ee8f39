"""Secrets on their way into the ledger: those of submissions, of what flows are started with, and of the settings."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jobdesk.core import env
from jobdesk.core.errors import SecretError
from jobdesk.core.processor import Processor
from jobdesk.core.redaction import MASK, TOKEN, Redactor
from jobdesk.core.secret import as_json, opened
from jobdesk.vault import Vault

if TYPE_CHECKING:
    from jobdesk.flows.definition import Definition

_ONE_TEMPLATE = re.compile(r"\$?\{[^{}]*\}")


class Seal:
    """Encrypts the secrets of one submission, and keeps them out of its keys."""

    def __init__(self, vault: Callable[[], Vault]) -> None:
        self._vault = vault
        self._plain: Redactor | None = None

    def __call__(self, text: str) -> str:
        self._plain = self._plain or Redactor()
        self._plain.know(json.loads(text))
        return self._vault().seal(text)

    def key(self, key: str | None) -> str | None:
        """A unique or concurrency key; where a secret is in it, a mark that only this home can make instead."""
        if key is None or (TOKEN.search(key) is None and (self._plain is None or self._plain.known(key) == key)):
            return key
        return self._vault().mark(key)


def of_settings(processor: Processor | None, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Data that stands in the settings, with `${env:NAME}` put in where it belongs to a secret, and nowhere else.

    Raises:
        ConfigError: a variable is not set.
    """
    if processor is None or next(env.names(data), None) is None:
        return data
    return {key: env.put_in(value) if key in processor.secrets else value for key, value in data.items()}


def sealed_data(processor: Processor | None, data: Mapping[str, Any], vault: Vault, stored: Mapping[str, Any]) -> Any:
    """Data for the record of a schedule: secrets sealed, but for `${env:NAME}`, which is none itself.

    Args:
        stored: as the record has it; a secret that is the same there stays as it is.
    """
    if processor is None or not data:
        return data

    def kept(key: str, value: Any) -> Any:
        if key not in processor.secrets or next(env.names(value), None) is not None or _is_token(value):
            return value
        old = stored.get(key)
        try:
            if isinstance(old, str) and _is_token(old) and opened(old, vault.open) == value:
                return old
        except SecretError:  # its key is lost: it is made anew
            pass
        return vault.seal(as_json(value))

    return {key: kept(key, value) for key, value in data.items()}


def sealed_input(
    definition: "Definition",
    given: Mapping[str, Any],
    find: Callable[[str], Processor | None],
    vault: Callable[[], Vault],
) -> dict[str, Any]:
    """What a flow is started with, sealed where its templates put it into a secret of a step."""
    made: Any = dict(given)
    for path in _paths(definition, find):
        made = _sealed_at(made, path, vault)
    return dict(made)


def data_of_folder(data: Mapping[str, Any], seal: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> dict[str, Any]:
    """Data that a drop folder gives with each file, for its record: secrets sealed that are the same for all files."""
    from jobdesk.folders.payload import fixed

    same = {key: value for key, one in data.items() if (value := fixed(one)) is not None}
    sealed = {key: value for key, value in seal(same).items() if value != same[key]}
    return dict(data) | sealed


def input_of_settings(
    definition: "Definition", data: Mapping[str, Any], find: Callable[[str], Processor | None]
) -> dict[str, Any]:
    """What the settings start a flow with, `${env:NAME}` put in for the keys that become secrets of its steps.

    Raises:
        ConfigError: a variable is not set.
    """
    secrets = {path[0] for path in _paths(definition, find) if path}
    return {key: env.put_in(value) if key in secrets else value for key, value in data.items()}


def declared(
    definitions: Iterable["Definition"], find: Callable[[str], Processor | None]
) -> Callable[[str], Collection[str]]:
    """By the name of a flow or job type, the keys of its data that go into secrets."""
    flows = {one.name: one for one in definitions}

    def secrets_of(name: str) -> Collection[str]:
        if name in flows:
            return {path[0] for path in _paths(flows[name], find) if path}
        processor = find(name)
        return () if processor is None else processor.secrets

    return secrets_of


def masked(settings: Any, secrets_of: Callable[[str], Collection[str]]) -> Any:
    """Settings with masks in place of the secrets in their data; what is one template or `${env:NAME}` is none."""
    if isinstance(settings, list | tuple):
        return [masked(one, secrets_of) for one in settings]
    if not isinstance(settings, Mapping):
        return settings
    made = {key: masked(one, secrets_of) for key, one in settings.items()}
    name, data = settings.get("type") or settings.get("pipeline"), settings.get("data")
    if isinstance(name, str) and isinstance(data, Mapping) and data:
        made["data"] = masked_data(data, secrets_of(name))
    return made


def masked_data(data: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """The same of the data of one table."""
    return {key: MASK if key in secrets and not _stands_for_it(one) else one for key, one in data.items()}


def _stands_for_it(value: Any) -> bool:
    return value is None or (isinstance(value, str) and _ONE_TEMPLATE.fullmatch(value) is not None)


def _paths(definition: "Definition", find: Callable[[str], Processor | None]) -> set[tuple[str, ...]]:
    from jobdesk.flows.templates import references

    parts: list[tuple[str, Mapping[str, Any]]] = [(step.type, step.data) for step in definition.ordered]
    if definition.on_failure is not None:
        parts.append((definition.on_failure.type, definition.on_failure.data))
    found: set[tuple[str, ...]] = set()
    for type_, data in parts:
        processor = find(type_)
        for name in _secrets_in(processor, data):
            found.update(ref[1:] for ref in references(data[name]) if ref[0] == "input")
    return found


def _secrets_in(processor: Processor | None, data: Mapping[str, Any]) -> Iterable[str]:
    secrets: Collection[str] = () if processor is None or not data else processor.secrets
    return (name for name in secrets if name in data)


def _sealed_at(value: Any, path: tuple[str, ...], vault: Callable[[], Vault]) -> Any:
    if not path and isinstance(value, Mapping):  # all of the input: its keys must stay for others
        return {key: _sealed_at(one, ("",), vault) for key, one in value.items()}
    if isinstance(value, Mapping) and path and path[0] in value:
        return {key: _sealed_at(one, path[1:] or ("",), vault) if key == path[0] else one for key, one in value.items()}
    if isinstance(value, list) and path and path[0].isdecimal():
        return [
            _sealed_at(one, path[1:] or ("",), vault) if at == int(path[0]) else one for at, one in enumerate(value)
        ]
    return value if _is_token(value) or value is None or path != ("",) else vault().seal(as_json(value))


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and TOKEN.fullmatch(value) is not None
