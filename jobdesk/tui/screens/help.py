"""Every key and what it does, from the table of actions; type to narrow."""

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from jobdesk.core.job import State
from jobdesk.core.query import fields
from jobdesk.tui.actions import ACTIONS, MOVING, Action, keys_of
from jobdesk.tui.format import Spans, fit
from jobdesk.tui.glyphs import TONES, Glyphs
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.widgets.field import Field
from jobdesk.tui.widgets.job_view import Document

_ABOUT = {
    State.BLOCKED: "waits for other jobs",
    State.SCHEDULED: "waits for its time",
    State.PENDING: "ready, waits for a worker",
    State.PROCESSING: "runs",
    State.RETRYING: "failed, will try again",
    State.COMPLETED: "done",
    State.FAILED: "will not try again: press r to retry",
    State.CANCELLED: "stopped",
    State.EXPIRED: "its time passed before it began",
}


def help_lines(glyphs: Glyphs, wanted: str = "", actions: Sequence[Action] = ACTIONS) -> list[Spans]:
    """Sections with their keys; with `wanted` only lines that contain it."""
    sections: dict[str, list[tuple[str, str, str]]] = {"Move": [(keys, said, "key") for keys, said in MOVING]}
    for action in actions:
        sections.setdefault(action.section, []).append((keys_of(action), action.title, "key"))
    sections["States"] = [(f"{glyphs.states[one]} {one.value}", said, TONES[one]) for one, said in _ABOUT.items()]
    sections["Filter"] = [(one.example, one.about, "key") for one in fields()]
    lines: list[Spans] = []
    for title, rows in sections.items():
        fitting = [row for row in rows if wanted.casefold() in f"{row[0]} {row[1]} {title}".casefold()]
        if fitting:
            lines.extend([(), ((title, "title"),)] if lines else [((title, "title"),)])
            lines.extend(((fit(keys, 20) + "  ", tone), (said, "text")) for keys, said, tone in fitting)
    return lines or [(("Nothing fits.", "muted"),)]


class Help(Dialog[None]):
    """The help; esc closes."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Field(placeholder="type to narrow, esc closes")
            yield Document(focusable=True)

    def on_mount(self) -> None:
        self.query_one(".dialog").border_title = "Keys"
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, wanted: str) -> None:
        document = self.query_one(Document)
        document.show(help_lines(document.glyphs, wanted, document.desk_app.actions))

    def on_key(self, event: events.Key) -> None:
        document = self.query_one(Document)
        moves = {
            "down": document.action_scroll_down, "up": document.action_scroll_up,
            "pagedown": document.action_page_down, "pageup": document.action_page_up,
        }  # fmt: skip
        if event.key in ("escape", "question_mark", "f1"):
            self.dismiss(None)
        elif event.key in moves:
            moves[event.key]()
        else:
            return
        event.stop()
        event.prevent_default()
