"""The data of events, made once for many that say the same."""

from typing import Any

from jobdesk.core.text import to_json


class Said(dict[tuple[Any, ...], str]):
    """What events of many jobs say, as JSON by its values: most say the same."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, values: tuple[Any, ...]) -> str:
        text = self[values] = to_json(dict(zip(self._names, values, strict=True)))
        return text
