"""Templates in the data of a step: `{input.path}` and `{steps.download.result.files[0].name}`.

What a flow is started with is put in at once; what steps give is put in when the step is about to run. Which values
are still to come is kept beside the data as bindings, so that a text which merely looks like a template (the name of
a dropped file, a result) is never taken for one. A brace that begins no template is written twice.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobdesk.core.errors import PayloadError
from jobdesk.core.nearest import nearest

Ref = tuple[str, ...]
"""What a template names, part by part: ("steps", "download", "result", "path")."""
Part = str | Ref
"""Plain text, or a reference in it."""
Place = tuple[str | int, ...]
"""Where in the data a value stands: keys and indexes from the outside in."""

HEADS = ("input", "steps", "failed")
OF_STEP = ("result", "state", "error", "job")
OF_FAILED = ("job", "type", "step", "error", "message")
_TOKEN = re.compile(r"(\$\{env:\w+\})|\{\{|\}\}|\{([^{}]*)\}|[{}]")
_REFERENCE = re.compile(r"[^.\[\]\s][^.\[\]]*(\.[^.\[\]]+|\[\d+\])*")


@dataclass(frozen=True, slots=True)
class Binding:
    """A value that is still to come. It is put in only where the data still shows `text`: an edit by hand stands."""

    at: Place
    text: str
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        return {"at": list(self.at), "text": self.text, "parts": list(self.parts)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Binding":
        parts = tuple(part if isinstance(part, str) else tuple(part) for part in value["parts"])
        return cls(tuple(value["at"]), value["text"], parts)


def parse(text: str) -> tuple[Part, ...]:
    """The text as plain pieces and references.

    Raises:
        ValueError: a brace or a reference is wrong; the message quotes it.
    """
    parts: list[Part] = []
    end = 0
    for token in _TOKEN.finditer(text):
        _add(parts, text[end : token.start()])
        end = token.end()
        if token[1] is not None:  # put in from the environment, and no template
            _add(parts, token[1])
        elif token[0] in ("{{", "}}"):
            _add(parts, token[0][0])
        elif token[2] is None:
            raise ValueError(
                f"a single {token[0]} begins or ends no template: write {token[0] * 2} for the brace itself"
            )
        else:
            parts.append(_reference(token[2].strip()))
    _add(parts, text[end:])
    return tuple(parts)


def _add(parts: list[Part], text: str) -> None:
    if text and parts and isinstance(parts[-1], str):
        parts[-1] += text
    elif text:
        parts.append(text)


def _reference(text: str) -> Ref:
    ref = tuple(re.findall(r"[^.\[\]]+", text))
    if not ref or ref[0] not in HEADS:
        hint = nearest(ref[0], HEADS) if ref else ""
        more = hint or ": a template begins with input or steps; write {{ for a brace"
        raise ValueError(f"'{{{text}}}' is not a template{more}")
    if not _REFERENCE.fullmatch(text):
        raise ValueError(f"'{{{text}}}' cannot be read: write names with dots between them, and indexes like [0]")
    if ref[0] == "steps" and (len(ref) < 3 or ref[2] not in OF_STEP):
        raise ValueError(f"'{{{text}}}' must say what of the step: {{steps.NAME.result}}, or {', '.join(OF_STEP[1:])}")
    if ref[0] == "failed" and (len(ref) != 2 or ref[1] not in OF_FAILED):
        raise ValueError(f"'{{{text}}}' must be one of {', '.join('{failed.' + word + '}' for word in OF_FAILED)}")
    return ref


def texts(data: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text in the data with its place; keys are no templates."""
    if isinstance(data, str):
        yield at, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from texts(value, (*at, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from texts(value, (*at, index))


def references(data: Any, name: str = "data") -> Iterator[Ref]:
    """Every reference in the data, which errors call `name`.

    Raises:
        ValueError: a template is wrong; the message names the place.
    """
    for at, text in texts(data):
        try:
            yield from (part for part in parse(text) if not isinstance(part, str))
        except ValueError as error:
            raise ValueError(f"{place(at, name)}: {error}") from None


def begin(data: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[dict[str, Any], list[Binding]]:
    """Put in what `scope` knows already; the data as it is stored, and what is still to come.

    Raises:
        PayloadError: a reference into `scope` leads nowhere.
    """
    bindings: list[Binding] = []

    def put(at: Place, text: str) -> Any:
        parts = parse(text)
        known = [one for one in parts if not isinstance(one, str) and one[0] in scope]
        if len(known) == sum(not isinstance(one, str) for one in parts):
            return _joined(parts, scope)
        merged: list[Part] = []
        for one in parts:
            if isinstance(one, str):
                _add(merged, one)
            elif one in known:
                _add(merged, _as_text(look_up(one, scope)))
            else:
                merged.append(one)
        shown = "".join(one if isinstance(one, str) else written(one) for one in merged)
        bindings.append(Binding(at, shown, tuple(merged)))
        return shown

    return _mapped(data, put), bindings


def finish(data: Mapping[str, Any], bindings: Sequence[Binding], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Put in what was still to come.

    Raises:
        PayloadError: a reference leads nowhere; the message names it.
    """
    late = {binding.at: binding for binding in bindings}

    def put(at: Place, text: str) -> Any:
        binding = late.get(at)
        return text if binding is None or binding.text != text else _joined(binding.parts, scope)

    return _mapped(data, put)


def _mapped(data: Mapping[str, Any], put: Callable[[Place, str], Any]) -> dict[str, Any]:
    def walk(value: Any, at: Place) -> Any:
        if isinstance(value, str):
            return put(at, value)
        if isinstance(value, Mapping):
            return {key: walk(one, (*at, key)) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [walk(one, (*at, index)) for index, one in enumerate(value)]
        return value

    return {key: walk(value, (key,)) for key, value in data.items()}


def _joined(parts: Sequence[Part], scope: Mapping[str, Any]) -> Any:
    """A value that is exactly one reference keeps its kind; anything else becomes text."""
    if len(parts) == 1 and not isinstance(parts[0], str):
        return look_up(parts[0], scope)
    return "".join(one if isinstance(one, str) else _as_text(look_up(one, scope)) for one in parts)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def look_up(ref: Ref, scope: Mapping[str, Any]) -> Any:
    """The value that a reference names.

    Raises:
        PayloadError: it leads nowhere; the message says how far it came and what is there.
    """
    value: Any = scope
    for depth, part in enumerate(ref):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise PayloadError(f"{written(ref)} leads nowhere: {_missing(ref, depth, value)}")
    return value


def _missing(ref: Ref, depth: int, value: Any) -> str:
    if ref[0] == "steps" and depth == 1:
        return f"there is no step '{ref[1]}' any more"
    if ref[0] == "steps" and depth == 2 and ref[2] == "result":
        return f"step '{ref[1]}' has no result, it is {value.get('state', 'unknown')}"
    where = ".".join(ref[:depth]) or "it"
    if isinstance(value, Mapping):
        return f"{where} has no '{ref[depth]}', only {', '.join(map(str, value)) or 'nothing'}"
    if isinstance(value, list):
        return f"{where} is a list of {len(value)}, which has no '{ref[depth]}'"
    return f"{where} is {json.dumps(value, ensure_ascii=False)[:60]}, which has no '{ref[depth]}'"


def written(ref: Ref) -> str:
    """The reference as it is written in the settings."""
    return "{" + ref[0] + "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in ref[1:]) + "}"


def place(at: Place, name: str = "data") -> str:
    """A place in the data for people: `data.files[0].name`."""
    return name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
