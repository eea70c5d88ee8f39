"""A form made from the schema of a job type, checked as one types. What it is for is in its subclasses."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Checkbox, Input, Label

from jobdesk.core.errors import JobdeskError
from jobdesk.core.processor import Processor
from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field, Tick
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_KINDS = {
    "array": "a list: [1, 2]", "words": 'a list: ["a", "b"]', "object": 'an object: {"a": 1}',
    "integer": "a whole number", "number": "a number", "path": "a file", "string": "text",
}  # fmt: skip
_AROUND = 8
"""Rows of a form besides its fields and what it says: border, padding, gaps, keys."""
_YES = {True: "yes", False: "no"}
_WIDEST = 98
"""Cells of what a form says, where there is room."""


class JobForm(Dialog[None]):
    """f2 does it (or ctrl+s), esc leaves.

    Args:
        data: what the fields hold at first.
    """

    OPTIONS: ClassVar[Sequence[tuple[str, str]]] = ()
    """Fields besides the payload: name, and what may be typed."""
    given_options: Mapping[str, str] = MappingProxyType({})
    """What those hold at first."""
    OF: ClassVar[str]
    """What those belong to; said where a field of the payload has the same name."""
    OPTIONS_FIRST: ClassVar[bool] = False
    DOES: ClassVar[str]
    """Its verb, for the foot."""
    MORE: ClassVar[Sequence[tuple[str, str]]] = ()
    """Other keys of the foot; they are for the subclass."""

    def __init__(self, processor: Processor, data: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._processor = processor
        self._given = dict(data or {})
        schema = processor.schema()
        self._properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
        self._required = set(schema.get("required", ()))
        self._problem: str | None = ""
        self._checks = 0

    @property
    def room(self) -> int:
        """Cells of a line of what it says."""
        return max(20, min(_WIDEST, self.app.size.width * 96 // 100 - 6))

    # ── for subclasses ──

    def heading(self) -> str:
        raise NotImplementedError

    def check(self, data: dict[str, Any], options: Mapping[str, str]) -> list[Spans]:
        """Look whether it would do, on a thread beside the screen's; lines that say what it would be.

        Raises:
            JobdeskError: it would not; the sentence names the field.
        """
        raise NotImplementedError

    def do(self, data: dict[str, Any], options: Mapping[str, str]) -> None:
        """Do it; the check has passed."""
        raise NotImplementedError

    # ── the form ──

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Lines(id="about")
            with VerticalScroll(can_focus=False):
                if self.OPTIONS_FIRST:
                    yield from self._option_fields()
                    yield from self._payload_fields()
                else:
                    yield from self._payload_fields()
                    yield from self._option_fields()
            yield Lines(id="said")
            yield Foot()

    def _option_fields(self) -> Iterator[Horizontal]:
        for name, hint in self.OPTIONS:
            field = Field(self.given_options.get(name), placeholder=hint, id=f"option-{name}", compact=True)
            label = f"{self.OF}'s {name}" if name in self._properties else name
            yield Horizontal(Label(label), field, classes="-option")

    def _payload_fields(self) -> Iterator[Horizontal]:
        for name, schema in self._properties.items():
            yield Horizontal(Label(name + (" *" if name in self._required else "")), self._field(name, schema))

    def _field(self, name: str, schema: Mapping[str, Any]) -> Input | Checkbox:
        given = self._given.get(name)
        if schema.get("type") == "boolean":
            on_now = bool(schema.get("default", False)) if given is None else bool(given)
            return Tick(_YES[on_now], on_now, id=f"field-{name}", compact=True)
        hidden = name in self._processor.secrets
        return Field(_text(given), placeholder=_hint(schema), id=f"field-{name}", compact=True, password=hidden)

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = self.heading()
        about = self.query_one("#about", Lines)
        about.show([((line, "muted"),) for line in wrap(self._processor.summary, self.room)[:2]])
        about.styles.height = len(about.lines)
        self.query_one(Foot).show([("f2", self.DOES), *self.MORE, ("tab", "next field"), ("escape", "close")])
        fields = self.query("Input, Checkbox")
        if fields:
            fields.first().focus()
        self._check()

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, schema in self._properties.items():
            field = self.query_one(f"#field-{name}")
            if isinstance(field, Checkbox):
                data[name] = field.value
            elif isinstance(field, Input) and field.value:
                same = name in self._given and field.value == _text(self._given[name])
                data[name] = self._given[name] if same else _value(field.value, schema)
        return data

    def _options(self) -> dict[str, str]:
        return {name: self.query_one(f"#option-{name}", Input).value.strip() for name, _ in self.OPTIONS}

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.checkbox.label = _YES[event.value]

    @on(Input.Changed)
    @on(Checkbox.Changed)
    def _check(self) -> None:
        self._checks += 1
        number, data, options = self._checks, self._data(), self._options()

        def check() -> tuple[str | None, list[Spans]]:
            try:
                return None, self.check(data, options)
            except JobdeskError as error:
                return str(error).removeprefix(f"{self._processor.type}: "), []

        self.desk_app.aside(check, lambda answer: self._checked(number, *answer))

    def _checked(self, number: int, problem: str | None, lines: list[Spans]) -> None:
        if number != self._checks or not self.is_attached:
            return
        self._problem = problem
        said = self.query_one("#said", Lines)
        if problem:
            lines = [((line, "warn"),) for line in wrap(problem, self.room)[:3]]
        said.styles.height = len(lines)
        said.show(lines)
        self._fit()
        for name in self._properties:
            self.query_one(f"#field-{name}").set_class(problem is not None and f"'{name}'" in problem, "-wrong")

    def _fit(self) -> None:
        """Give the fields what room the rest leaves, so that the keys below them are always seen."""
        rest = sum(len(self.query_one(f"#{id_}", Lines).lines) for id_ in ("about", "said"))
        room = self.app.size.height * 9 // 10 - rest - _AROUND
        self.query_one(VerticalScroll).styles.max_height = max(3, room)

    def on_resize(self) -> None:
        self._fit()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.focus_next()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif event.key in ("f2", "ctrl+s"):
            event.stop()
            if self._problem:
                self.notify(self._problem, severity="warning")
                return
            self.do(self._data(), self._options())
            self.dismiss(None)


def _hint(schema: Mapping[str, Any]) -> str:
    """What may be typed, and what holds if nothing is."""
    if schema.get("enum"):
        return ", ".join(map(str, schema["enum"]))
    kinds = [schema, *schema.get("anyOf", ())]
    said = next((_KINDS[kind] for one in kinds if (kind := _kind(one)) in _KINDS), "")
    default = schema.get("default")
    if default is not None and default != "":
        return f"{json.dumps(default, ensure_ascii=False)} if left empty"
    return said


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array" and schema.get("items", {}).get("type") == "string":
        return "words"
    return str(schema.get("format") or schema.get("type"))


def _text(value: Any) -> str:
    """A value as one would type it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """What was typed, as the schema takes it: text stays text, everything else is read as JSON if it is."""
    kinds = {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))}
    if "string" in kinds and not kinds & {"array", "object", "integer", "number"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return [part.strip() for part in text.split(",")] if "array" in kinds else text


def as_command(type_: str, data: Mapping[str, Any]) -> str:
    """The command that submits the same."""
    return f"jobdesk submit {type_} --data {shlex.quote(json.dumps(data, ensure_ascii=False))}"
