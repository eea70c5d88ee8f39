"""`${env:NAME}` in settings: a secret that stands in the environment of the consumer, and nowhere else."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jobdesk.core.errors import ConfigError

ENV_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def names(value: Any) -> Iterator[str]:
    """The variables that the texts of a value refer to."""
    if isinstance(value, str):
        yield from ENV_REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from names(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from names(one)


def put_in(value: Any, environment: Mapping[str, str] = os.environ) -> Any:
    """The value with each reference replaced by what its variable holds.

    Raises:
        ConfigError: a variable is not set.
    """
    if isinstance(value, str):
        return ENV_REFERENCE.sub(lambda found: _of(found[1], environment), value)
    if isinstance(value, Mapping):
        return {key: put_in(one, environment) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [put_in(one, environment) for one in value]
    return value


def values(value: Any, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What the variables hold that a value refers to, as far as they are set."""
    return [environment[name] for name in names(value) if environment.get(name)]


def _of(name: str, environment: Mapping[str, str]) -> str:
    found = environment.get(name)
    if found is None:
        raise ConfigError(f"the settings take ${{env:{name}}}, which is not set here: set {name} and start again")
    return found
