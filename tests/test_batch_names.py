"""Jobs of one batch that come after others of it, through the desk and the command."""

import json
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.errors import NotFound, UsageError
from jobdesk.core.ids import ids
from jobdesk.core.job import State
from jobdesk.core.submission import Submission
from tests.support.home import make_home, said

PROCESSORS = """
from jobdesk import processor

@processor("note", isolation="thread")
def note(ctx, text: str = "") -> str:
    return text
"""


def test_a_job_comes_after_others_of_its_batch(tmp_path: Path) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS))
    own = ids.new("job", desk.clock.now())
    before = desk.submit("note", unique="taken")
    made = desk.submit_batch(
        [
            Submission(type="note", name="a"),
            Submission(type="note", name="b", after=["a"]),
            Submission(type="note", id=own),
            Submission(type="note", name="old", unique="taken"),
            Submission(type="note", after=["a", "b", own, "old", before.id]),
        ]
    )
    a, b, third, old, last = made
    assert (third, old) == (own, before.id)
    assert desk.job(b).after == (a,) and set(desk.job(last).after) == {a, b, own, before.id}
    assert [desk.job(id_).state for id_ in made] == [
        State.PENDING, State.BLOCKED, State.PENDING, State.PENDING, State.BLOCKED,
    ]  # fmt: skip
    with pytest.raises(NotFound, match="job 2 of 2: there is no job a"):  # the names ended with the batch
        desk.submit_batch([Submission(type="note"), Submission(type="note", after=["a"])])
    desk.close()


@pytest.mark.parametrize(
    ("batch", "why"),
    [
        (
            [Submission(type="note", after=["b"]), Submission(type="note", name="b")],
            "job 1 of 2: 'b' is no job above this one",
        ),
        (
            [Submission(type="note", name="a", after=["b"]), Submission(type="note", name="b", after=["a"])],
            "job 1 of 2: 'b' is no job above this one: .* so that none wait for each other",
        ),
        (
            [Submission(type="note"), Submission(type="note", name="a", after=["a"])],
            "job 2 of 2: 'a' is no job above this one",
        ),
        (
            [Submission(type="note", name="a"), Submission(type="note", name="a")],
            "job 2 of 2: another job .* has the name 'a' already",
        ),
        ([Submission(type="note", name="a"), Submission(type="note", after=["c"])], "job 2 of 2: .*there is no job c"),
        (
            [Submission(type="note", name=""), Submission(type="note")],
            "job 1 of 2: the name of a job in its batch is text",
        ),
        ([Submission(type="note", name="job_01"), Submission(type="note")], "and no id: 'job_01' will not do"),
    ],
)
def test_what_cannot_come_after_is_refused_and_nothing_is_stored(
    tmp_path: Path, batch: list[Submission], why: str
) -> None:
    desk = Desk(make_home(tmp_path, PROCESSORS))
    with pytest.raises((UsageError, NotFound), match=why):
        desk.submit_batch(batch)
    assert not desk.jobs().jobs
    desk.close()


def test_the_lines_of_a_file_name_one_another(tmp_path: Path) -> None:
    home, file = make_home(tmp_path, PROCESSORS), tmp_path / "jobs.ndjson"
    fetch, send = {"type": "note", "name": "fetch"}, {"type": "note", "name": "send", "after": "fetch"}
    file.write_text("\n".join(map(json.dumps, [fetch, send, {"type": "note", "after": ["fetch", "send"]}])))
    first, second, third = said(home, "submit", "--batch", str(file)).out.split()
    assert said(home, "jobs", "show", second, "--json").json["after"] == [first]
    assert said(home, "jobs", "show", third, "--json").json["after"] == [first, second]
    file.write_text("\n".join(map(json.dumps, [send, fetch])))
    refused = said(home, "submit", "--batch", str(file))
    assert refused.code == 2 and "job 1 of 2: 'fetch' is no job above this one" in refused.error
    file.write_text(json.dumps({"type": "note", "name": 5}))
    assert "'name' is not text" in said(home, "submit", "--batch", str(file)).error
