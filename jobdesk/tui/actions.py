"""The one table of actions. Bindings, key line, help, palette, menu, confirmations and read-only mode come from it."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from jobdesk.tui import reasons
from jobdesk.tui.selection import NOTHING, Selection, can_retry

if TYPE_CHECKING:
    from jobdesk.tui.app import JobdeskApp


class Danger(IntEnum):
    """How much an action asks before it acts; above `MANY` jobs everything that asks wants the number typed."""

    NONE = 0
    ASK = 1
    """A yes is enough."""
    LOSES = 2
    """What it does takes something away."""


MANY = 1000


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an action would happen."""

    view: str = "overview"
    """overview, jobs, dead, flows, schedules, folders, health, or job (one job, full screen)."""
    selection: Selection = NOTHING
    read_only: bool = False
    marking: bool = False
    """Something is marked, or a range is being marked."""
    drawer: bool = False
    filtered: bool = False
    typing: str = ""
    """Keys go into this field: filter or find; "" if they are keys."""
    page: str = ""
    """The page of the open job that keys go to: Job, Log, Data, Flow; "" if they go elsewhere."""


_OF_FLOWS = {"retry": "resume", "cancel": "cancel"}
_OF_SCHEDULES = {"pause": "pause", "delete": "remove"}
_OF_FOLDERS = {"trigger": "scan"}
"""Commands of what the same action does to them."""

WhyNot = Callable[[Scene], str | None]
Run = Callable[["JobdeskApp", Scene], None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. `keys` are Textual key names, the first is the one that is shown."""

    id: str
    keys: str
    title: str
    section: str
    run: Run
    why_not: WhyNot = lambda scene: None
    word: str = ""
    """Its word in the key line; "" keeps it out."""
    rank: int = 50
    """Place in the key line, lowest first."""
    danger: Danger = Danger.NONE
    writes: bool = False
    command: str = ""
    """The command that does the same; {jobs}, {queue} and {schedule} stand for the selection."""

    def reason(self, scene: Scene) -> str | None:
        """Why it cannot be done here and now; None: it can."""
        if self.writes and scene.read_only:
            return "this app is read-only"
        return self.why_not(scene)

    def as_command(self, selection: Selection) -> str:
        """The same on the command line."""
        if selection.flow is not None and self.id in _OF_FLOWS:
            return f"jobdesk flows {_OF_FLOWS[self.id]} {selection.flow}"
        if selection.schedule is not None and self.id in _OF_SCHEDULES:
            verb = "resume" if self.id == "pause" and selection.paused else _OF_SCHEDULES[self.id]
            return f"jobdesk schedules {verb} {shlex.quote(selection.schedule)}"
        if selection.folder is not None and self.id in _OF_FOLDERS:
            return f"jobdesk folders {_OF_FOLDERS[self.id]} {shlex.quote(selection.folder)}"
        return self.command.format(
            jobs=selection.argument or "ID",
            queue=selection.queue or "NAME",
            schedule=shlex.quote(selection.schedule or "NAME"),
            alert=selection.alert if selection.alert is not None else "ID",
            rule=selection.rule or "RULE",
        )


ACTIONS: tuple[Action, ...] = (
    Action("help", "question_mark,f1", "Keys and what they do", "App", lambda app, _: app.show_help(), word="help",
           rank=0),
    Action("filter", "slash", "Filter the jobs; in a log, find", "Find", lambda app, scene: app.find(scene),
           word="filter", rank=2),
    Action("open", "enter", "Open what is under the cursor", "View", lambda app, scene: app.open(scene),
           reasons.can_open, word="open", rank=4, command="jobdesk jobs show {jobs}"),
    Action("back", "escape", "Back, one step: marks, drawer, filter", "View", lambda app, scene: app.back(scene),
           reasons.can_go_back, word="back", rank=1),
    Action("retry", "r", "Retry", "Act", lambda app, scene: app.apply("retry", scene.selection),
           lambda scene: can_retry(scene.selection), word="retry", rank=5, writes=True,
           command="jobdesk jobs retry {jobs}"),
    Action("cancel", "c,x", "Cancel", "Act", lambda app, scene: app.apply("cancel", scene.selection),
           reasons.cancellable, word="cancel", rank=6, danger=Danger.ASK, writes=True,
           command="jobdesk jobs cancel {jobs}"),
    Action("pause", "p", "Pause or resume the queue, schedule or service", "Act",
           lambda app, scene: app.toggle_pause(scene.selection), reasons.can_pause, word="pause", rank=7, writes=True,
           command="jobdesk queues pause {queue}"),
    Action("acknowledge", "A", "Acknowledge the alert", "Act", lambda app, scene: app.acknowledge(scene.selection),
           reasons.on_alert, word="acknowledge", rank=5, writes=True, command="jobdesk alerts ack {alert}"),
    Action("silence", "L", "Let the rule be silent for an hour, or not", "Act",
           lambda app, scene: app.silence(scene.selection), reasons.on_alert, word="silence", rank=6, writes=True,
           command="jobdesk alerts silence {rule} --for 1h"),
    Action("trigger", "T", "Now: the job of a schedule, a look at a folder", "Act",
           lambda app, scene: app.trigger(scene.selection), reasons.can_trigger, word="run now", rank=5, writes=True,
           command="jobdesk schedules trigger {schedule}"),
    Action("test_file", "F", "What would happen to a file", "Find", lambda app, scene: app.test_file(scene.selection),
           command="jobdesk folders test FILE"),
    Action("quarantine", "Q", "Rejected files, and the quarantine", "Find", lambda app, _: app.show_refused()),
    Action("slowly", "R", "Retry all of it, so many a minute", "Act",
           lambda app, scene: app.retry_slowly(scene.selection), lambda scene: can_retry(scene.selection), writes=True,
           command="jobdesk dead retry {jobs} --rate 60/m"),
    Action("mark", "space", "Mark, and go on to the next", "Mark", lambda app, _: app.table("mark"), reasons.in_jobs,
           word="mark", rank=10),
    Action("follow", "f", "Follow new jobs or lines, or stop", "View", lambda app, scene: app.follow(scene),
           reasons.can_follow, word="follow", rank=11),
    Action("wrap", "w", "Break long lines of a log, or not", "View", lambda app, _: app.wrap_log(),
           reasons.in_log, word="wrap", rank=9),
    Action("times", "t", "Times of a log: of day, since the start, none", "View", lambda app, _: app.log_times(),
           reasons.in_log, word="times", rank=9),
    Action("narrower", "less_than_sign", "Less room for the open job", "View", lambda app, _: app.split(-1),
           reasons.in_drawer),
    Action("wider", "greater_than_sign", "More room for the open job", "View", lambda app, _: app.split(1),
           reasons.in_drawer),
    Action("pictures", "i", "Pictures of the job, before and after", "View",
           lambda app, scene: app.show_pictures(scene.selection), reasons.only_one),
    Action("pager", "P", "The open page in $PAGER", "Take out", lambda app, scene: app.page_out(scene),
           reasons.only_one),
    Action("sort", "s", "Sort by", "View", lambda app, _: app.pick_order(), reasons.in_jobs, word="sort", rank=12),
    Action("reverse", "S", "Turn the order round", "View", lambda app, _: app.table("reverse"), reasons.in_jobs),
    Action("before", "left_square_bracket", "To the view before", "View", lambda app, _: app.wander(-1)),
    Action("after", "right_square_bracket", "To the view after", "View", lambda app, _: app.wander(1)),
    Action("views", "V", "Views: filters by name", "Find", lambda app, _: app.pick_view()),
    Action("keep_view", "W", "Keep this filter under a name", "Find", lambda app, _: app.save_view(),
           reasons.is_filtered),
    Action("export", "E", "Export what the filter shows", "Take out", lambda app, _: app.export(), reasons.in_jobs,
           command="jobdesk jobs list --json"),
    Action("palette", "colon,ctrl+p", "All commands, by name", "App", lambda app, _: app.show_palette(),
           word="commands", rank=8),
    Action("quit", "q", "Quit", "App", lambda app, _: app.leave(), word="quit", rank=9),
    Action("actions", "a", "Actions on what is chosen, with reasons", "Act", lambda app, scene: app.show_actions(scene),
           word="actions", rank=13),
    Action("range", "v", "Mark from here to there", "Mark", lambda app, _: app.table("range"), reasons.in_jobs),
    Action("all", "asterisk", "Mark all that match the filter", "Mark", lambda app, _: app.table("all"),
           reasons.in_jobs),
    Action("clear", "backslash", "Clear the marks", "Mark", lambda app, _: app.table("clear"),
           lambda scene: reasons.in_jobs(scene) or (None if scene.marking else "nothing is marked"),
           word="clear", rank=7),
    Action("delete", "X", "Delete, with its history", "Act", lambda app, scene: app.apply("delete", scene.selection),
           reasons.deletable, danger=Danger.LOSES, writes=True,
           command="jobdesk jobs delete {jobs}"),
    Action("undo", "z,u", "Undo the last action of this app", "Act", lambda app, _: app.undo(), writes=True,
           command="jobdesk undo"),
    Action("edit", "e", "Edit, and retry with that", "Act", lambda app, scene: app.edit(scene.selection),
           reasons.can_edit, writes=True, command="jobdesk jobs retry {jobs} --data JSON"),
    Action("editor", "O", "Payload in $EDITOR, then run it with that", "Act",
           lambda app, scene: app.edit_outside(scene.selection), reasons.only_one, writes=True,
           command="jobdesk jobs retry {jobs} --data @FILE"),
    Action("duplicate", "D", "Duplicate: a new job like it", "Act", lambda app, scene: app.duplicate(scene.selection),
           reasons.only_one, writes=True),
    Action("priority", "U", "Another priority", "Act", lambda app, scene: app.pick_priority(scene.selection),
           lambda scene: reasons.only_one(scene) or reasons.waits(scene), writes=True,
           command="jobdesk jobs priority LEVEL {jobs}"),
    Action("run_now", "plus", "Run now, without waiting for its time", "Act",
           lambda app, scene: app.apply("run_now", scene.selection), reasons.runnable,
           word="run now", rank=5, writes=True, command="jobdesk jobs run-now {jobs}"),
    Action("hold", "H", "Hold, until it is released", "Act",
           lambda app, scene: app.apply("hold", scene.selection), reasons.waits,
           writes=True, command="jobdesk jobs hold {jobs}"),
    Action("release", "N", "Release what is held", "Act",
           lambda app, scene: app.apply("release", scene.selection), reasons.waits,
           writes=True, command="jobdesk jobs release {jobs}"),
    Action("pause_job", "comma", "Pause a running command where it is", "Act",
           lambda app, scene: app.pause_jobs(scene.selection), reasons.can_say("pause"), writes=True,
           command="jobdesk jobs pause {jobs}"),
    Action("continue_job", "full_stop", "Let a paused command go on", "Act",
           lambda app, scene: app.continue_jobs(scene.selection), reasons.can_say("continue"), word="go on", rank=5,
           writes=True, command="jobdesk jobs continue {jobs}"),
    Action("signal", "K", "Signal to a running command", "Act",
           lambda app, scene: app.pick_signal(scene.selection), reasons.can_say("signal"),
           danger=Danger.ASK, writes=True, command="jobdesk jobs signal {jobs} NAME"),
    Action("send", "I", "Input for a running command", "Act",
           lambda app, scene: app.send_text(scene.selection), reasons.can_say("send"), writes=True,
           command="jobdesk jobs send {jobs} TEXT"),
    Action("new", "n", "New job, or schedule", "Act", lambda app, scene: app.new_job(scene.view), word="new", rank=3,
           writes=True, command="jobdesk submit TYPE key=value"),
    Action("copy", "y", "Copy the id; of data, what the cursor is on", "Take out",
           lambda app, scene: app.copy_here(scene), reasons.can_copy),
    Action("copy_more", "Y", "Copy of it: id, payload, result, error, log", "Take out",
           lambda app, scene: app.copy_more(scene.selection), reasons.only_one),
    Action("artifact", "o", "Open the file it made", "Take out", lambda app, scene: app.open_artifact(scene.selection),
           reasons.only_one),
    Action("processors", "M", "Processors: the job types, and what they take", "App",
           lambda app, _: app.show_processors()),
    Action("alerts", "b", "Alerts: raised, seen, silent, over", "App", lambda app, _: app.show_alerts(),
           command="jobdesk alerts list --all"),
    Action("charts", "d", "Charts of the last hour", "App", lambda app, _: app.show_charts(),
           command="jobdesk metrics"),
    Action("theme", "exclamation_mark", "Colours", "App", lambda app, _: app.pick_theme()),
    Action("overview", "1", "Overview", "Go", lambda app, _: app.go("overview")),
    Action("jobs", "2", "Jobs", "Go", lambda app, _: app.go("jobs"), command="jobdesk jobs list"),
    Action("dead", "3", "Dead letters", "Go", lambda app, _: app.go("dead"), command="jobdesk dead groups"),
    Action("flows", "4", "Flows", "Go", lambda app, _: app.go("flows"), command="jobdesk flows list"),
    Action("schedules", "5", "Schedules", "Go", lambda app, _: app.go("schedules"), command="jobdesk schedules list"),
    Action("health", "7", "Health", "Go", lambda app, _: app.go("health"), command="jobdesk health --detailed"),
    Action("folders", "6", "Folders", "Go", lambda app, _: app.go("folders"), command="jobdesk folders list"),
    Action("host", "B", "Work in this app, or leave the work to others", "App", lambda app, _: app.change_host(),
           writes=True, command="jobdesk --consumer"),
    Action("suspend", "ctrl+z", "Back to the shell; fg returns", "App", lambda app, _: app.action_suspend_process()),
)  # fmt: skip
BY_ID = {action.id: action for action in ACTIONS}

MOVING = (
    ("up down j k", "move"),
    ("page up, page down", "a page"),
    ("g home, G end", "first, last"),
    ("tab, right, l", "next pane"),
    ("shift+tab, left, h", "pane before"),
    ("left right h l", "pages of an open job"),
    ("n N", "next and former match in a log"),
    ("enter, space", "fold or unfold data, open a job of a flow"),
    ("ctrl+c twice", "quit"),
)
"""Keys of widgets, for the help."""

_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "asterisk": "*", "backslash": "\\", "exclamation_mark": "!",
    "escape": "esc", "left_square_bracket": "[", "right_square_bracket": "]",
    "less_than_sign": "<", "greater_than_sign": ">", "plus": "+",
    "comma": ",", "full_stop": ".",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as people write it."""
    return _NAMES.get(key, key)


def keys_of(action: Action) -> str:
    """All its keys as people write them."""
    return " ".join(key_name(key) for key in action.keys.split(","))


def shown_key(action: Action) -> str:
    """The key that is shown for it."""
    return key_name(action.keys.split(",")[0])
