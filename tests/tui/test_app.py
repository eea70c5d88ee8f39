"""What the terminal app promises, tried by keys on a seeded desk at 80x24 and 120x40."""

import pytest
from textual.widgets import Input

from jobdesk.core.errors import HomeError
from jobdesk.core.job import State
from jobdesk.desk import Desk
from jobdesk.tui.lock import only_app
from tests.support.factory import submit
from tests.support.robot import opened

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_overview_says_what_runs_what_waits_what_failed_and_why(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.sees("processing.images", "paused", "IMAGE_RESIZE", "40%", "2 jobs", "ConnectTimeout", "3 wait")


async def test_an_empty_desk_teaches_how_to_begin(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.sees("Drop a photo into", "press n", "All is well")


@pytest.mark.parametrize("size", [(40, 10), (59, 14), (80, 24), (100, 30), (120, 40), (200, 60)])
async def test_no_size_is_refused_and_help_is_always_in_reach(busy_desk: Desk, size: tuple[int, int]) -> None:
    async with opened(busy_desk, size) as robot:
        await robot.until(lambda: "? help" in robot.keys, "help is offered")
        await robot.jobs()
        await robot.until(lambda: "? help" in robot.keys and "pending" in robot.screen, "help and jobs are seen")


async def test_every_state_is_shown_by_glyph_and_word(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.sees(*(f"{robot.app.glyphs.states[state]} {state.value}" for state in State))


async def test_with_ascii_nothing_beyond_seven_bits_is_drawn(busy_desk: Desk) -> None:
    async with opened(busy_desk, ascii=True) as robot:
        await robot.sees("x 2 jobs")
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]
        await robot.jobs()
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]
        await robot.press("n")
        await robot.sees("which type")
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]
        await robot.type("command")
        await robot.press("enter")
        await robot.sees("stdin_open", "[ ] no")
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]
        await robot.press("escape", "a")
        await robot.sees("Actions")
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]
        await robot.press("escape", "less_than_sign")
        await robot.sees("no job is open beside the list")
        assert robot.screen.isascii(), [letter for letter in robot.screen if not letter.isascii()]


async def test_a_wrong_filter_points_at_the_word_and_leaves_the_list(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        before = robot.table.total
        await robot.press("slash")
        await robot.type("stata:failed")
        await robot.sees("^^^^^", "did you mean 'state'")
        await robot.press("escape")
        await robot.until(lambda: robot.table.total == before, "the list is whole again")


async def test_tab_completes_the_word_and_then_leads_to_the_list(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("slash")
        await robot.until(lambda: "tab complete" in robot.keys and "quit" not in robot.keys, "keys of the field")
        await robot.type("sta")
        await robot.press("tab")
        field = robot.app.main.jobs.query_one("FilterBar Input", Input)
        await robot.until(lambda: field.value == "state:", "it is completed")
        await robot.type("fai")
        await robot.press("tab")
        await robot.sees("state:failed", "2 jobs")
        await robot.press("tab")
        await robot.until(lambda: robot.table.has_focus and "quit" in robot.keys, "keys go to the list")


async def test_filter_shows_what_matches_and_how_many(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        await robot.sees("2 jobs", "ada90@example.org", "ada91@example.org")
        await robot.press("escape")
        await robot.sees("Jobs · 23")


async def test_the_cursor_stays_on_its_job_while_new_ones_arrive(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("down", "down")
        current = robot.table.current
        for number in range(5):
            submit(busy_desk.ledger, type="new", queue="default", data={"name": f"n{number}"})
        await robot.sees("5 new")
        assert robot.table.current == current
        await robot.press("f")
        await robot.sees("following")
        await robot.until(
            lambda: robot.table.current is not None and robot.table.current.subject == "n4", "newest on top"
        )


async def test_changed_rows_are_repainted_where_they_are(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("down")
        before = sum("⊘" in line for line in robot.screen.splitlines())
        busy_desk.cancel(submit(busy_desk.ledger, queue="default"))
        pending = next(job for job in busy_desk.jobs("state:pending").jobs)
        busy_desk.cancel(pending.id)
        await robot.until(lambda: sum("⊘" in line for line in robot.screen.splitlines()) == before + 1, "one more")


async def test_retry_acts_at_once_on_the_job_under_the_cursor(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:failed")
        line = robot.table.current
        assert line is not None
        await robot.press("r")
        await robot.sees("Retried: email")
        assert busy_desk.job(line.id).state is State.PENDING


async def test_cancel_asks_first_and_no_is_the_default(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:pending")
        line = robot.table.current
        assert line is not None
        await robot.press("c")
        await robot.sees("y cancel", "n keep")
        await robot.press("enter")
        await robot.sees_no("n keep")
        assert busy_desk.job(line.id).state is State.PENDING
        await robot.press("c", "y")
        await robot.sees("Cancelled: NOTIFICATION_SEND")
        assert busy_desk.job(line.id).state is State.CANCELLED


async def test_an_action_that_is_not_possible_says_why(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:completed")
        await robot.press("c")
        await robot.sees("it is completed already")


async def test_marks_and_ranges_act_together(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:completed")
        await robot.press("space", "down", "v", "down", "down", "v")
        await robot.sees("4 marked")
        await robot.press("r")
        await robot.sees("Retried 4 jobs")
        await robot.sees_no("4 marked")


async def test_all_that_match_is_a_query_and_deleting_it_wants_the_number(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:completed")
        await robot.press("asterisk", "X")
        await robot.sees("Delete 12 jobs?", "state:completed", "For a day z can bring it back")
        await robot.type("11")
        await robot.press("enter")
        await robot.sees("That is not 12")
        assert len(busy_desk.jobs("state:completed").jobs) == 12
        await robot.press("enter")
        await robot.sees_no("For a day z can bring it back")
        await robot.press("X")
        await robot.sees("Delete 12 jobs?")
        await robot.type("12")
        await robot.press("enter")
        await robot.sees("Deleted 12 jobs")
        await robot.press("z")
        await robot.sees("Undone: delete 12 jobs")
        assert len(busy_desk.jobs("state:completed").jobs) == 12
        await robot.press("z")
        await robot.sees("Undone: cancel job_")  # what the desk of the test had done before


async def test_all_that_match_are_as_many_as_match_when_it_is_asked(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("state:completed")
        await robot.press("asterisk")
        await robot.sees("all that match are marked")
        busy_desk.delete(busy_desk.jobs("state:completed").jobs[0].id)
        await robot.sees("changed")
        await robot.press("r")
        await robot.sees("Retry 11 jobs?")


async def test_a_filter_that_matches_nothing_says_so_and_an_empty_one_goes(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("type:t")
        await robot.sees("No job matches this filter. Press esc to clear it.")
        await robot.press("slash", "ctrl+u")
        await robot.sees("state:failed queue:upload")
        await robot.press("enter")
        await robot.sees("THUMBNAIL_GENERATE")
        await robot.sees_no("state:failed queue:upload")


async def test_a_wall_screen_says_that_it_only_looks_where_there_is_little_room(busy_desk: Desk) -> None:
    async with opened(busy_desk, (60, 20), read_only=True) as robot:
        await robot.sees("read-only, no consumer")


async def test_pause_and_resume_the_queue_under_the_cursor(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.filter("queue:notifications")
        await robot.until(lambda: "p resume" in robot.keys, "the key says resume")
        await robot.press("p")
        await robot.sees("Resumed notifications")
        await robot.until(lambda: "p pause" in robot.keys, "the key says pause")


async def test_a_job_opens_beside_the_table_or_on_its_own_screen(busy_desk: Desk) -> None:
    async with opened(busy_desk, (120, 40)) as robot:
        await robot.filter("state:failed")
        await robot.press("enter")
        await robot.sees("ConnectTimeout: no answer", "1 other job failed the same way", "Timeline", "Jobs · 2")
    async with opened(busy_desk, (80, 24)) as robot:
        await robot.filter("state:failed")
        await robot.press("enter")
        await robot.sees("ConnectTimeout: no answer", "Timeline")
        assert "Jobs · 2" not in robot.screen
        await robot.press("escape")
        await robot.sees("Jobs · 2")


async def test_pages_of_a_job_log_data_and_flow(busy_desk: Desk) -> None:
    async with opened(busy_desk, (80, 24)) as robot:
        await robot.filter("state:processing")
        await robot.press("enter")
        await robot.sees("40%", "1080 px", "attempt 1 of 3")
        await robot.press("right")
        await robot.sees("info", "opened", "the picture")
        await robot.press("right")
        await robot.sees("Payload", "/photos/IMG_2041.jpg", "None yet")
        await robot.press("right")
        await robot.sees("0 of 2 jobs completed", "└ ", "NOTIFICATION_SEND")


async def test_what_a_job_wrote_never_reaches_the_terminal_as_a_command(busy_desk: Desk) -> None:
    async with opened(busy_desk, (80, 24)) as robot:
        await robot.filter("state:processing")
        await robot.press("enter", "right")
        await robot.sees("the picture")
        assert "\x1b" not in robot.screen


async def test_needs_you_opens_the_jobs_of_the_group(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        robot.app.main.query_one("#needs").focus()
        await robot.sees("ConnectTimeout")
        await robot.press("enter")
        await robot.sees("fingerprint:f1", "Jobs · 2")


async def test_palette_finds_an_action_by_its_name(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.press("colon")
        await robot.sees("Commands")
        await robot.type("drop fold")
        await robot.sees("Nothing fits")
        await robot.press(*["backspace"] * 9)
        await robot.type("folders")
        await robot.press("enter")
        await robot.sees("Drop folders")


async def test_a_form_says_what_is_wrong_while_one_types_and_submits_what_is_right(desk: Desk) -> None:
    async with opened(desk) as robot:
        await robot.press("n")
        await robot.sees("which type?")
        await robot.type("demo.long")
        await robot.press("enter")
        await robot.sees("New job: demo.long", "Ready to submit")
        await robot.type("many")
        await robot.sees("'shelves' is wrong")
        await robot.press(*["backspace"] * 4, "7", "ctrl+s")
        await robot.sees("Submitted demo.long")
        assert desk.jobs("type:demo.long").jobs[0].data["shelves"] == 7


async def test_read_only_changes_nothing_and_says_so(busy_desk: Desk) -> None:
    async with opened(busy_desk, read_only=True) as robot:
        await robot.filter("state:failed")
        await robot.press("r")
        await robot.sees("this app is read-only")
        assert len(busy_desk.jobs("state:failed").jobs) == 2
        assert "r retry" not in robot.keys


async def test_a_second_app_on_the_home_is_refused(desk: Desk) -> None:
    with only_app(desk.home), pytest.raises(HomeError, match="is open on") as refused, only_app(desk.home):
        pass
    assert refused.value.exit_code == 5


async def test_at_rest_the_screen_reads_and_repaints_nothing(busy_desk: Desk) -> None:
    async with opened(busy_desk) as robot:
        await robot.jobs()
        await robot.press("down")
        table, drawn, draw = robot.table, list[object](), robot.table.refresh_line

        def noted(y: int) -> None:
            drawn.append(y)
            draw(y)

        table.refresh_line = noted  # type: ignore[method-assign]

        def at_rest() -> bool:
            drawn.clear()
            for _ in range(3):
                robot.app.show_snapshot()
            return not drawn

        await robot.until(at_rest, "nothing is drawn again")
