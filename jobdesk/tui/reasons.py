"""Why an action cannot be done here and now, in a few words; None: it can."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jobdesk.tui.selection import can_cancel, can_delete, can_hear, can_retry, can_run_now, can_wait

if TYPE_CHECKING:
    from jobdesk.core.speech import Word
    from jobdesk.tui.actions import Scene


def in_jobs(scene: "Scene") -> str | None:
    return None if scene.view == "jobs" else "only in the list of jobs: press 2"


def in_log(scene: "Scene") -> str | None:
    return None if scene.page == "Log" else "only in a log: open a job, and turn to its log with right"


def can_follow(scene: "Scene") -> str | None:
    return None if scene.page == "Log" else in_jobs(scene)


def in_drawer(scene: "Scene") -> str | None:
    return None if scene.drawer else "no job is open beside the list"


def is_filtered(scene: "Scene") -> str | None:
    return in_jobs(scene) or (None if scene.filtered else "nothing is filtered: press /")


def can_open(scene: "Scene") -> str | None:
    if scene.view == "job":
        return "it is open"
    chosen = scene.selection
    if chosen.off:
        return "it has made no jobs: it is off"
    fits = chosen.has_jobs or chosen.queue or chosen.schedule or chosen.alert is not None
    return None if fits else "nothing is under the cursor"


def only_one(scene: "Scene") -> str | None:
    return None if scene.selection.one else "choose one job"


def can_pause(scene: "Scene") -> str | None:
    chosen = scene.selection
    fits = chosen.queue or chosen.schedule or chosen.service
    return None if fits else "choose a queue, a job of it, a schedule or a service"


def on_alert(scene: "Scene") -> str | None:
    return None if scene.selection.alert is not None else "choose an alert: press b"


def can_trigger(scene: "Scene") -> str | None:
    if scene.selection.off:
        return "it is off: press p to turn it on first"
    fits = scene.selection.schedule or scene.selection.folder
    return None if fits else "choose a schedule or a drop folder: press 5 or 6"


def cancellable(scene: "Scene") -> str | None:
    return "dead letters have ended" if scene.view == "dead" else can_cancel(scene.selection)


def can_edit(scene: "Scene") -> str | None:
    return only_one(scene) or can_retry(scene.selection)


def runnable(scene: "Scene") -> str | None:
    if scene.view == "dead":
        return "dead letters have ended"
    return "choose one of its jobs" if scene.selection.flow is not None else can_run_now(scene.selection)


def waits(scene: "Scene") -> str | None:
    return "dead letters have ended" if scene.view == "dead" else can_wait(scene.selection)


def deletable(scene: "Scene") -> str | None:
    if scene.selection.off:
        return "it comes with jobdesk, and is off"
    return None if scene.selection.schedule else can_delete(scene.selection)


def can_say(word: "Word") -> "Callable[[Scene], str | None]":
    def why_not(scene: "Scene") -> str | None:
        chosen = scene.selection
        several = word in ("signal", "send") and chosen.has_jobs and chosen.one is None
        return "choose one job" if several else can_hear(chosen, word)

    return why_not


def can_copy(scene: "Scene") -> str | None:
    return None if scene.selection.jobs else "choose a job first"


def can_go_back(scene: "Scene") -> str | None:
    return None if scene.view == "job" or scene.drawer or scene.marking or scene.filtered else "nothing is open"
