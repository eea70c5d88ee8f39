"""A new job: the type from a list that narrows, then a form made from its schema, checked as one types."""

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Input, Label

from jobdesk.core.errors import JobdeskError
from jobdesk.core.processor import Processor
from jobdesk.core.redaction import MASK
from jobdesk.core.submission import Submission
from jobdesk.tui.format import Spans, wrap
from jobdesk.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_KINDS = {
    "array": "a list: [1, 2]", "object": 'an object: {"a": 1}', "integer": "a whole number", "number": "a number",
    "path": "a file", "string": "text",
}  # fmt: skip
_OPTIONS = (("priority", "urgent, high, normal, low or 0-100"), ("delay", "5s, 2m, 1h"))


class NewJob(ModalScreen[None]):
    """The form of one job type; ctrl+s or enter in the last field submits, esc leaves."""

    def __init__(self, processor: Processor) -> None:
        super().__init__()
        self._processor = processor
        schema = processor.schema()
        self._properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
        self._required = set(schema.get("required", ()))
        self._problem: str | None = ""
        self._checks = 0

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Lines(id="about")
            with VerticalScroll(can_focus=False):
                for name, schema in self._properties.items():
                    with Horizontal():
                        yield Label(name + (" *" if name in self._required else ""))
                        if schema.get("type") == "boolean":
                            yield Checkbox("", bool(schema.get("default", False)), id=f"field-{name}", compact=True)
                        else:
                            hint, hidden = self._hint(schema), "writeOnly" in json.dumps(schema)
                            yield Input(placeholder=hint, id=f"field-{name}", compact=True, password=hidden)
                for name, hint in _OPTIONS:
                    with Horizontal(classes="-option"):
                        yield Label(name)
                        yield Input(placeholder=hint, id=f"option-{name}", compact=True)
            yield Lines(id="said")
            yield Lines(id="foot")

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = f"New job: {self._processor.type}"
        about = self.query_one("#about", Lines)
        about.show([((line, "muted"),) for line in wrap(self._processor.summary, 66)[:2]])
        about.styles.height = len(about.lines)
        self.query_one("#foot", Lines).show(
            [
                (
                    ("ctrl+s", "key"),
                    (" submit   ", "muted"),
                    ("tab", "key"),
                    (" next field   ", "muted"),
                    ("esc", "key"),
                    (" close", "muted"),
                )
            ]
        )
        fields = self.query("Input, Checkbox")
        if fields:
            fields.first().focus()
        self._check()

    def _hint(self, schema: Mapping[str, Any]) -> str:
        """What may be typed, and what holds if nothing is."""
        if schema.get("enum"):
            return ", ".join(map(str, schema["enum"]))
        kinds = [schema, *schema.get("anyOf", ())]
        said = next((_KINDS[kind] for one in kinds if (kind := one.get("format") or one.get("type")) in _KINDS), "")
        default = schema.get("default")
        if default is not None and default != "":
            return f"{json.dumps(default, ensure_ascii=False)} if left empty"
        return said

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, schema in self._properties.items():
            field = self.query_one(f"#field-{name}")
            if isinstance(field, Checkbox):
                data[name] = field.value
            elif isinstance(field, Input) and field.value:
                data[name] = _value(field.value, schema)
        return data

    @on(Input.Changed)
    @on(Checkbox.Changed)
    def _check(self) -> None:
        self._checks += 1
        number, data = self._checks, self._data()

        def check() -> str | None:
            try:
                self._processor.check(data, seal=lambda text: MASK)
            except JobdeskError as error:
                return str(error).removeprefix(f"{self._processor.type}: ")
            return None

        self.desk_app.aside(check, lambda problem: self._checked(number, problem))

    def _checked(self, number: int, problem: str | None) -> None:
        if number != self._checks or not self.is_attached:
            return
        self._problem = problem
        said = self.query_one("#said", Lines)
        lines: list[Spans] = (
            [((line, "warn"),) for line in wrap(problem, 66)[:3]] if problem else [(("Ready to submit.", "ok"),)]
        )
        said.styles.height = len(lines)
        said.show(lines)
        for name in self._properties:
            self.query_one(f"#field-{name}").set_class(problem is not None and f"'{name}'" in problem, "-wrong")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.focus_next()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif event.key == "ctrl+s":
            event.stop()
            self._submit()

    def _submit(self) -> None:
        if self._problem:
            self.notify(self._problem, severity="warning")
            return
        options = {name: self.query_one(f"#option-{name}", Input).value or None for name, _ in _OPTIONS}
        wanted = Submission(type=self._processor.type, data=self._data(), **options)  # type: ignore[arg-type]
        self.desk_app.submit(wanted)
        self.dismiss(None)


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
