"""What the line of keys says of an action here: some mean another thing, or matter more, than elsewhere."""

from collections.abc import Mapping

from jobdesk.tui.actions import Action, Scene

_IN_VIEW: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "dead": {"open": ("list jobs", 4), "slowly": ("retry slowly", 6), "delete": ("delete", 7)},
    "flows": {"open": ("list jobs", 4), "retry": ("resume", 5)},
    "schedules": {"open": ("list jobs", 4), "delete": ("remove", 8)},
    "folders": {
        "open": ("its job", 4), "trigger": ("look through", 5), "test_file": ("test a file", 6),
        "quarantine": ("rejected", 7),
    },
    "health": {"open": ("open", 4)},
}  # fmt: skip
_ON_PAGE: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "Log": {"filter": ("find", 2), "follow": ("follow", 3), "wrap": ("wrap", 4), "times": ("times", 4)},
    "Data": {"copy": ("copy value", 4)},
}


def word_and_rank(action: Action, scene: Scene) -> tuple[str, int]:
    """Its word, "" to leave it out, and its place, lowest first."""
    chosen = scene.selection
    if action.id == "pause" and chosen.off:
        return "turn on", 4
    if action.id == "pause" and chosen.paused:
        return "resume", action.rank
    if action.id == "pause" and chosen.service is not None:
        return ("hold open" if chosen.running else "close"), action.rank
    here = _ON_PAGE.get(scene.page, {}).get(action.id) or _IN_VIEW.get(scene.view, {}).get(action.id)
    return here or (action.word, action.rank)
