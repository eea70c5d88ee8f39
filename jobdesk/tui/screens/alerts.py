"""The alerts: those that are raised, those that are over, when and why; seen and silenced from here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from jobdesk.core.alert import Alert, Rule
from jobdesk.core.durations import short
from jobdesk.desk import Desk
from jobdesk.tui.alert_page import alert_page, sign, tone
from jobdesk.tui.columns import Column
from jobdesk.tui.format import ago, clean
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.screens.dialog import Dialog
from jobdesk.tui.selection import Selection
from jobdesk.tui.widgets.foot import Foot
from jobdesk.tui.widgets.job_view import Document
from jobdesk.tui.widgets.lines import retitle
from jobdesk.tui.widgets.listing import Item, Listing

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp

_COLUMNS = (
    Column("state", "state", 8, grow=1, most=14),
    Column("rule", "rule", 12, rank=1, grow=2, most=24),
    Column("subject", "of", 8, rank=3, grow=3),
    Column("since", "since", 5, rank=2, align=">"),
    Column("held", "for", 5, rank=4, align=">", spare=True),
)
_EMPTY = (
    "Nothing is wrong, and nothing was. [alerts.rules] in jobdesk.toml says what is looked at; "
    "`jobdesk alerts rules` shows what each rule sees now."
)
_STATES = ("active", "acknowledged", "silenced", "pending", "cleared")
"""In the order of the list."""
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """All that is open or was lately, and the rules as they are now."""

    alerts: tuple[Alert, ...]
    rules: Mapping[str, Rule]


def read(desk: Desk) -> Known:
    """Those that want somebody first; of those that are over, the newest."""
    found = sorted(desk.alerts(all=True), key=lambda one: (_STATES.index(one.state), -(one.cleared_at or one.since_at)))
    return Known(tuple(found), {rule.name: rule for rule in desk.alert_watch().rules})


class Alerts(Dialog[None]):
    """Enter lists the jobs that it is about, esc closes. `at`: the alert under the cursor, by its id."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium")]

    def __init__(self, known: Known, at: int | None = None) -> None:
        super().__init__()
        self._known = known
        self._at = at

    @property
    def desk_app(self) -> "JobdeskApp":
        return cast("JobdeskApp", self.app)

    @property
    def _alert(self) -> Alert | None:
        return cast("Alert | None", self.query_one(Listing).value)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            with Horizontal():
                yield Listing(_COLUMNS, titles=True, empty=_EMPTY, always=True)
                yield Document(focusable=True)
            yield Foot()

    def on_mount(self) -> None:
        self._show(self._known)
        listing = self.query_one(Listing)
        listing.focus()
        here = next((at for at, one in enumerate(self._known.alerts) if one.id == self._at), 0)
        listing.action_move(here)
        self.set_interval(_AGAIN_S, self._read)

    def _read(self) -> None:
        app = self.desk_app
        app.feed.ask(lambda: read(app.desk), lambda known: self._show(known) if self.is_attached else None)

    def _show(self, known: Known) -> None:
        self._known = known
        app = self.desk_app
        now, listing = app.clock.now(), self.query_one(Listing)
        states = [one.state for one in known.alerts]
        said = [f"{states.count(state)} {'over' if state == 'cleared' else state}" for state in _STATES
                if state in states]  # fmt: skip
        retitle(self.query_one(".dialog"), "Alerts" + (f": {', '.join(said)}" if said else ""))
        listing.show([_item(one, now, app.glyphs) for one in known.alerts])
        self._show_page()

    @on(Listing.Moved)
    def _show_page(self) -> None:
        app, page, one = self.desk_app, self.query_one(Document), self._alert
        page.display = one is not None
        keys = [("escape", "close")]
        if one is not None:
            width = max(20, page.size.width - 2)
            rule = self._known.rules.get(one.rule)
            page.show(alert_page(one, rule, self._known.alerts, width, app.clock.now(), app.glyphs))
            acts = [(key, word) for key, word, _ in self._acts(one)]
            keys = [*([("enter", "its jobs")] if _query(one) or one.job else []), *acts, *keys]
        self.query_one(Foot).show(keys)

    def _acts(self, one: Alert) -> list[tuple[str, str, Callable[[Selection], None]]]:
        """What can be done with it: key, word, deed. The keys are those of the same actions elsewhere."""
        app = self.desk_app
        if app.host.watch_only or one.state == "cleared":
            return []
        key = {action.id: action.keys.split(",")[0] for action in app.actions}
        quiet = one.state == "silenced"
        found: list[tuple[str, str, Callable[[Selection], None]]]
        found = [(key["silence"], "end its silence" if quiet else "silence for an hour", app.silence)]
        if one.state == "active":
            found.insert(0, (key["acknowledge"], "acknowledge", app.acknowledge))
        return found

    @on(Listing.Opened)
    def _opened(self, event: Listing.Opened) -> None:
        event.stop()
        one, app = self._alert, self.desk_app
        if one is None or not (one.job or _query(one)):
            return
        self.dismiss(None)
        if one.job:
            app.open_job(one.job)
        else:
            app.open_with(lambda: app.go_filtered(_query(one)))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_page)

    def on_key(self, event: events.Key) -> None:
        one = self._alert
        deeds = {} if one is None else {key: deed for key, _, deed in self._acts(one)}
        if event.key in ("escape", "q"):
            self.dismiss(None)
        elif one is not None and event.key in deeds:
            deeds[event.key](Selection(alert=one.id, rule=one.rule, subject=one.subject))
            self._read()
        else:
            return
        event.stop()
        event.prevent_default()


def _query(one: Alert) -> str:
    """The jobs that it is about, as far as a filter can say it."""
    return f"queue:{one.queue}" if one.queue else ""


def _item(one: Alert, now: float, glyphs: Glyphs) -> Item:
    begun = one.since_at if one.raised_at is None else one.raised_at
    until = one.cleared_at
    return Item(
        str(one.id),
        one,
        {
            "state": ((f"{sign(one, glyphs)} {one.state}", tone(one)),),
            "rule": ((clean(one.rule), "text" if until is None else "muted"),),
            "subject": ((clean(one.subject), "muted"),),
            "since": ((ago(begun, now), "muted"),),
            "held": (("" if until is None else short(max(0.0, until - begun)), "muted"),),
        },
    )
