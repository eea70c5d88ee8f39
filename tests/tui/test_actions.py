"""The one table of actions: everything else is made from it."""

from jobdesk.core.job import State
from jobdesk.tui.actions import ACTIONS, Danger, Scene
from jobdesk.tui.glyphs import ASCII, UNICODE
from jobdesk.tui.screens.help import help_lines
from jobdesk.tui.selection import Chosen, Selection


def test_ids_and_keys_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    keys = [key for action in ACTIONS for key in action.keys.split(",")]
    assert len(ids) == len(set(ids))
    assert len(keys) == len(set(keys))


def test_every_action_is_in_the_help() -> None:
    text = "\n".join("".join(part for part, _ in line) for line in help_lines(UNICODE))
    for action in ACTIONS:
        assert action.title in text


def test_no_action_needs_a_control_key_and_danger_always_asks() -> None:
    for action in ACTIONS:
        assert action.id == "suspend" or not action.keys.split(",")[0].startswith("ctrl+")
    assert {action.id for action in ACTIONS if action.danger is not Danger.NONE} == {"cancel", "delete", "signal"}


def test_read_only_refuses_everything_that_changes_something() -> None:
    job = Chosen("job_1", "t", "q", State.FAILED)
    scene = Scene("jobs", Selection(jobs=(job,), queue="q"), read_only=True)
    refused = {action.id for action in ACTIONS if action.reason(scene) == "this app is read-only"}
    acts = {"retry", "cancel", "delete", "pause", "new", "slowly", "trigger", "edit", "acknowledge", "silence", "undo"}
    acts |= {"pause_job", "continue_job", "signal", "send"}
    assert refused == acts | {"editor", "duplicate", "run_now", "priority", "hold", "release", "host"}


def test_every_sign_is_one_cell_wide() -> None:
    from rich.cells import cell_len

    for glyphs in (UNICODE, ASCII):
        assert all(cell_len(sign) == 1 for sign in glyphs.states.values())
        assert len(set(glyphs.states.values())) == len(State)
    assert all(sign.isascii() for sign in ASCII.states.values())
