"""Submitting jobs, looking at them and acting on them."""

import json
import time
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.job import Progress
from jobdesk.ledger import moves, reports
from tests.cli.conftest import Say
from tests.support.clock import FakeClock
from tests.support.factory import claim
from tests.support.terminal import jobdesk


def test_submit_prints_the_id_alone_and_the_document_with_json(say: Say) -> None:
    id_ = say("submit", "greet", "name=ada").id
    assert id_.startswith("job_") and len(id_) == 30
    document = say("submit", "greet", "name=ada", "times=2", "--priority", "high", "--json").json
    assert document["data"] == {"name": "ada", "times": 2}
    assert (document["type"], document["state"], document["priority"]) == ("greet", "pending", 75)


def test_options_and_data_may_stand_in_any_order(say: Say) -> None:
    first = say("submit", "greet", "name=ada").id
    document = say(
        "submit", "--queue", "q1", "greet", "--retries", "5", "name=bo", "--after", first[4:20], "times=3", "--json"
    ).json
    assert document["data"] == {"name": "bo", "times": 3}
    assert (document["queue"], document["max_attempts"], document["after"]) == ("q1", 6, [first])
    assert document["state"] == "blocked"


def test_values_are_json_where_they_can_be_and_text_where_text_is_wanted(say: Say, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("from a file")
    for word, name in [
        ("name=2024", "2024"),
        ("name=a=b", "a=b"),
        ('name:="x"', "x"),
        (f"name=@{note}", "from a file"),
    ]:
        assert say("submit", "greet", word, "--json").json["data"]["name"] == name
    assert say("submit", "greet", "--data", '{"name": "x", "times": 2}', "times=3", "--json").json["data"]["times"] == 3
    missing = say("submit", "greet", "name=@ada")
    assert missing.code == 2 and "name:='\"@ada\"'" in missing.err


def test_a_batch_is_stored_whole_or_not_at_all(say: Say, tmp_path: Path) -> None:
    batch = tmp_path / "jobs.ndjson"
    good = {"type": "greet", "data": {"name": "ada"}, "priority": "low", "retry_delay": "1s"}
    batch.write_text("\n".join(json.dumps(one) for one in [good, good, {"type": "greet", "data": {}}]))
    refused = say("submit", "--batch", str(batch))
    assert refused.code == 2 and "'name' is missing" in refused.err
    assert say("jobs", "list", "--json").json == []
    batch.write_text(f"{json.dumps(good)}\n\n{json.dumps(good)}\n")
    ids = say("submit", "--batch", str(batch)).out.split()
    assert [job["id"] for job in say("jobs", "list", "--json").json] == ids[::-1]
    batch.write_text('{"type": "greet", "prioriti": 3}')
    assert (
        "line 1: 'prioriti' is not a key of a job, did you mean 'priority'?" in say("submit", "--batch", str(batch)).err
    )


def test_run_stores_the_command_as_it_was_given(say: Say, tmp_path: Path) -> None:
    id_ = say("run", "--queue", "shell", "--cwd", str(tmp_path), "--", "ls", "-l", "--json", "--home").id
    job = say("jobs", "show", id_, "--json").json
    assert job["type"] == "command" and job["queue"] == "shell"
    assert job["data"]["argv"] == ["ls", "-l", "--json", "--home"] and job["data"]["cwd"] == str(tmp_path)


def test_list_finds_by_query_also_what_is_not(say: Say) -> None:
    ada = say("submit", "greet", "name=ada").id
    bo = say("submit", "greet", "name=bo", "--delay", "1h").id
    assert [job["id"] for job in say("jobs", "list", "data.name:bo", "--json").json] == [bo]
    assert [job["id"] for job in say("jobs", "list", "--json", "-state:scheduled", "type:greet").json] == [ada]
    assert [job["id"] for job in say("jobs", "list", "--limit", "1", "--json").json] == [bo]
    line = say("jobs", "list", "state:pending").out
    assert line.count("\n") == 1 and line.split("\t")[:3] == [ada, "pending", "greet"]


def test_cancel_retry_and_delete_of_one_job(say: Say) -> None:
    id_ = say("submit", "greet", "name=ada").id
    assert say("jobs", "retry", id_).code == 1
    assert say("jobs", "cancel", id_).code == 0
    again = say("jobs", "retry", id_, "--data", '{"times": 7}', "--json").json
    assert again == [{"id": id_, "action": "retry", "done": True, "state": "pending", "error": None}]
    assert say("jobs", "show", id_, "--json").json["data"] == {"name": "ada", "times": 7}
    assert say("jobs", "delete", id_).code == 0
    assert say("jobs", "show", id_).code == 4


def test_actions_on_a_query_say_first_and_do_it_to_all(say: Say) -> None:
    ids = [say("submit", "greet", "name=ada").id for _ in range(3)]
    assert say("jobs", "cancel", "--query", "type:greet", "--dry-run").out.split() == ids[::-1]
    assert len(say("jobs", "list", "state:pending", "--json").json) == 3
    done = say("jobs", "cancel", "--query", "-state:completed", "--json").json
    assert [one["done"] for one in done] == [True] * 3
    refused = say("jobs", "delete", "--query", "type:greet")
    assert refused.code == 2 and "--yes" in refused.err
    assert say("jobs", "delete", "--query", "type:greet", "--yes").code == 0
    assert say("jobs", "list", "--json").json == []


def test_several_ids_are_done_as_far_as_they_can_be(say: Say) -> None:
    id_ = say("submit", "greet", "name=ada").id
    answer = say("jobs", "cancel", id_, "job_0NOBODY", "--json")
    assert answer.code == 4
    assert [one["done"] for one in answer.json] == [True, False]


def test_history_and_why_tell_the_story(say: Say) -> None:
    id_ = say("submit", "greet", "name=ada").id
    (event,) = say("jobs", "history", id_[:29], "--json").json
    assert (event["event"], event["job_id"]) == ("job_created", id_)
    assert any("consumer" in sentence for sentence in say("jobs", "why", id_, "--json").json["why"])
    assert say("events", "--json").json[-1]["event"] == "job_created"
    assert say("jobs", "show", id_).out.startswith(f"{id_}  pending\n")


def test_a_queue_is_paused_cleaned_and_drained(say: Say) -> None:
    ids = [say("submit", "greet", "name=ada").id for _ in range(2)]
    paused = say("queues", "pause", "default", "--json").json
    assert paused["paused"] is True and paused["counts"]["pending"] == 2
    assert say("queues", "resume", "default").out == ""
    assert say("queues", "drain", "default").code == 0
    cleaned = say("queues", "clean", "default", "--state", "cancelled", "--json").json
    assert cleaned["removed"] == len(ids)
    listed = {queue["name"]: queue for queue in say("queues", "list", "--json").json}
    assert sum(listed["default"]["counts"].values()) == 0 and listed["upload.normal"]["paused"] is False


def test_a_wait_that_takes_too_long_is_exit_code_1(say: Say) -> None:
    id_ = say("submit", "greet", "name=ada").id
    answer = say("jobs", "wait", "--timeout", "10ms", id_)
    assert answer.code == 1 and id_ in answer.err


def test_processors_list_has_schemas_and_broken_plug_ins_as_rows(say: Say, home: Path) -> None:
    (home / "processors" / "wrong.py").write_text("import nothing_of_this_name")
    rows = say("processors", "list", "--json").json
    greet = next(row for row in rows if row["type"] == "greet")
    assert greet["schema"]["properties"]["name"]["type"] == "string" and greet["summary"] == "Say hello."
    (broken,) = [row for row in rows if row["broken"]]
    assert "nothing_of_this_name" in broken["error"] and broken["name"].endswith("wrong.py")
    assert say("doctor").code == 1
    (home / "processors" / "odd.py").write_text(
        "from jobdesk import Context, processor\n@processor('odd')\ndef odd(ctx: Context, x: 'Missing') -> None: ...\n"
    )
    odd = next(row for row in say("processors", "list", "--json").json if row["broken"] and "odd" in row["name"])
    assert "Missing" in odd["error"]


@pytest.mark.parametrize("words", [["folders", "list"], ["folders", "files"], ["assets", "list"], ["dead", "groups"]])
def test_lists_are_arrays(say: Say, words: list[str]) -> None:
    answer = say(*words, "--json")
    assert answer.code == 0 and isinstance(answer.json, list)


def test_a_terminal_is_told_how_to_go_on_and_what_to_do_where_nothing_is(say: Say, home: Path) -> None:
    with jobdesk(home, "jobs", "list", size=(160, 20)) as terminal:
        terminal.sees("no jobs yet: `jobdesk submit`")
        assert terminal.end() == 0
    ids = [say("submit", "greet", f"name={name}").id for name in ("ada", "bob", "eve")]
    with jobdesk(home, "jobs", "list", "--limit", "2", size=(160, 20)) as terminal:
        terminal.sees("there are more: --page ")
        assert terminal.end() == 0
        token = terminal.screen.split("there are more: --page ")[1].split()[0]
    assert [one["id"] for one in say("jobs", "list", "--page", token, "--json").json] == ids[:1]
    with jobdesk(home, "jobs", "list", "state:failed", size=(160, 20)) as terminal:
        terminal.sees("no job matches")
        assert terminal.end() == 0
    assert say("jobs", "list", "state:failed").err == "", "a pipe is told nothing beside the answer"


def test_the_list_says_how_far_a_running_job_is_and_how_long_an_ended_one_took(
    say: Say, home: Path, clock: FakeClock
) -> None:
    say("submit", "greet", "name=ada")
    clock.advance(max(0.0, time.time() - clock.now()) + 1)
    desk = Desk(home, clock=clock)
    job = claim(desk.ledger)
    with desk.ledger.write() as tx:
        assert reports.progress(tx, job, Progress(1, 4, "baking"))
    (running,) = say("jobs", "list").out.splitlines()
    assert running.endswith("25% baking") and running.split("\t")[6] == ""
    clock.advance(2.5)
    with desk.ledger.write() as tx:
        assert moves.complete(tx, job, "done")
    desk.close()
    (ended,) = say("jobs", "list").out.splitlines()
    assert ended.split("\t")[6] == "2500" and "baking" not in ended
