"""Mail to many: each gets a job, nobody two, and nothing is begun that is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk import Desk
from jobdesk.core.errors import PayloadError
from jobdesk.core.job import State
from tests.support.context import Bench
from tests.support.home import make_home, until
from tests.support.mail import mail_bench, settings
from tests.support.smtp import mail_server

PEOPLE = "to,name\nada@example.org,Ada\nEVE@example.org,Eve\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with mail_server() as server:
        yield mail_bench(tmp_path, server)


def bulk(folder: Path, people: str, **more: Any) -> dict[str, Any]:
    file = folder / ("people.csv" if people.startswith("to") else "people.ndjson")
    file.write_text(people)
    return {"template": "welcome", "file": str(file), **more}


def test_many_get_a_job_each_and_nobody_two(desk: Bench, tmp_path: Path) -> None:
    data = {"data": {"url": "https://example.org"}, "unsubscribe": "https://example.org/u", "priority": "high"}
    people = [{"to": "eve@example.org", "data": {"name": "Eve"}}]
    ran = desk.run("bulk-email", bulk(tmp_path, PEOPLE, **data, recipients=people))
    assert ran.result == {"recipients": 3, "letters": 2, "twice": 1, "wrong": []}
    children = [child["data"] for child in ran.children]
    assert [(one["to"], one["data"]["name"]) for one in children] == [
        ("eve@example.org", "Eve"),
        ("ada@example.org", "Ada"),
    ]
    assert all(child["optional"] and child["type"] == "email" for child in ran.children)
    assert all(one["priority"] == "high" and one["unsubscribe"] == "https://example.org/u" for one in children)
    assert all(desk.processors["email"].check(one, home=desk.home) for one in children)


def test_recipients_of_ndjson_have_data_of_any_kind(desk: Bench, tmp_path: Path) -> None:
    ran = desk.run("bulk-email", bulk(tmp_path, '{"to": "ada@example.org", "name": "Ada", "url": "u"}\n\n'))
    assert ran.children[0]["data"]["data"] == {"name": "Ada", "url": "u"}


@pytest.mark.parametrize(
    ("recipients", "says"),
    [
        ([{"to": "eve"}], "'recipients.0.to' is wrong: it is no mail address"),
        (["eve"], "'recipients.0.to' is wrong: it is no mail address"),
        ([{"to": "eve@example.org"}], "eve@example.org: template 'welcome' needs 'name'"),
        ([{"to": "eve@example.org", "data": {"name": "Eve", "age": 3}}], "does not take 'age'"),
    ],
)
def test_a_list_is_checked_when_it_is_submitted(desk: Bench, recipients: list[Any], says: str) -> None:
    with pytest.raises(PayloadError, match=says):
        desk.run("bulk-email", {"template": "welcome", "recipients": recipients})


@pytest.mark.parametrize(
    ("people", "says"),
    [
        (PEOPLE + "joe@,Joe\n", r"1 recipients are wrong: people.csv, recipient 3: it is no mail address"),
        ('{"to": "ada@example.org"}', "ada@example.org: template 'welcome' needs 'name'"),
        ("to\n", "there is nobody to write to"),
        ('{"name": "Ada"}', "recipient 1: it is no mail address"),
        ("[1]", "cannot be read as recipients"),
        ("total\n1\n", "it has no column to"),
    ],
)
def test_of_a_file_with_wrong_lines_nothing_is_sent(desk: Bench, tmp_path: Path, people: str, says: str) -> None:
    ran = desk.run("bulk-email", bulk(tmp_path, people))
    assert says in ran.error.message and not ran.error.retryable and ran.children == []


def test_wrong_lines_are_left_out_if_one_says_so(desk: Bench, tmp_path: Path) -> None:
    ran = desk.run("bulk-email", bulk(tmp_path, PEOPLE + "joe@,Joe\n", skip_wrong=True))
    assert ran.result["letters"] == 2 and ran.result["recipients"] == 3 and "recipient 3" in ran.result["wrong"][0]
    assert any(line.startswith("left out: ") for line in ran.lines)


def test_many_more_are_sent_in_parts_each_once(tmp_path: Path) -> None:
    people = "".join(f"p{n}@example.org,P{n}\n" for n in range(1200))
    with mail_server() as server:
        with Desk(make_home(tmp_path, settings=settings(server))) as desk:
            desk.open_service("smtp", "only to see")  # sending so many would take long
            job = desk.wait(desk.submit("bulk-email", bulk(tmp_path, "to,name\n" + people)).id, timeout=60)
            assert job.state is State.COMPLETED and job.result["letters"] == 1200
            until(lambda: desk.flow(job.flow or "").total == 1 + 3 + 1200)
            waiting = desk.jobs("type:email", limit=2000).jobs
            assert len({one.data["to"][0] for one in waiting}) == 1200 and {one.flow for one in waiting} == {job.flow}
        assert server.tried == 0
