"""Finding jobs: the same answer as looking at every one of them, by way of an index."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobdesk.core.errors import UsageError
from jobdesk.core.job import Job, JobError, State
from jobdesk.core.query import parse
from jobdesk.ledger import moves, reads, search
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.plan import plan
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

TIMEOUT = JobError("ConnectTimeout", "no answer from payments (50%)", "trace", "f00d", retryable=False)


@pytest.fixture
def filled(ledger: Ledger, clock: FakeClock) -> Ledger:
    """Sixty jobs of several kinds, in several states."""
    fill(ledger, clock)
    return ledger


def fill(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(60):
        clock.advance(60)
        submit(
            ledger,
            type=("IMAGE_RESIZE", "IMAGE_UPLOAD", "email")[number % 3],
            queue=("upload.normal", "upload.batch", "mail", "a'b[c]")[number % 4],
            priority=(25, 50, 75, 100)[number % 4],
            user=(None, "Ada", "bob_1")[number % 3],
            flow=f"flow_{number // 6:026d}",
            data={
                "path": f"/in/IMG_{number}.HEIC",
                "n": number,
                "tags": ["a", f"t{number % 5}"],
                "ok": number % 2 == 0,
            },
        )
    for number in range(30):
        job = claim(ledger)
        clock.advance(number)
        with ledger.write() as tx:
            if number % 3 == 0:
                moves.fail(tx, job, TIMEOUT, None)
            elif number % 3 == 1:
                moves.complete(tx, job, {"width": number * 100 if number == 4 else 9})
    with ledger.write() as tx:
        for job in search.page(ledger, parse("state:pending"), limit=4).jobs:
            moves.cancel(tx, job.id, "not wanted")


def every(ledger: Ledger) -> list[Job]:
    return [reads.job(ledger, id_) for (id_,) in ledger.rows("SELECT id FROM job ORDER BY seq DESC")]


# Each with its meaning in Python.
CASES: dict[str, Any] = {
    "": lambda j, now: True,
    "state:failed": lambda j, now: j.state == "failed",
    "state:failed,completed,cancelled": lambda j, now: j.state in ("failed", "completed", "cancelled"),
    "-state:completed": lambda j, now: j.state != "completed",
    "state:failed state:pending": lambda j, now: False,
    "queue:upload.*": lambda j, now: j.queue.startswith("upload."),
    "queue:a'b[c]": lambda j, now: j.queue == "a'b[c]",
    "queue:a'b[c]*": lambda j, now: j.queue == "a'b[c]",
    "-queue:mail state:pending": lambda j, now: j.queue != "mail" and j.state == "pending",
    "queue:nowhere": lambda j, now: False,
    "type:IMAGE_*": lambda j, now: j.type.startswith("IMAGE_"),
    "-type:email,IMAGE_UPLOAD": lambda j, now: j.type == "IMAGE_RESIZE",
    "type:nothing": lambda j, now: False,
    "type:email state:failed queue:upload.*": lambda j, now: (
        j.type == "email" and j.state == "failed" and j.queue.startswith("upload.")
    ),
    "priority:high": lambda j, now: j.priority == 75,
    "priority:>50": lambda j, now: j.priority > 50,
    "user:ada": lambda j, now: j.user == "Ada",
    "-user:ada": lambda j, now: j.user != "Ada",
    "user:bob_*": lambda j, now: j.user == "bob_1",
    "user:*": lambda j, now: j.user is not None,
    "age:>30m": lambda j, now: now - j.created_at > 1800,
    "age:<=10m": lambda j, now: now - j.created_at <= 600,
    "took:>10s": lambda j, now: (
        j.started_at is not None
        and (j.finished_at or (now if j.state == "processing" else 0)) - j.started_at > 10
    ),
    "attempt:>0": lambda j, now: j.attempt > 0,
    "attempt:0,1": lambda j, now: True,
    "data.path:*_3?.heic": lambda j, now: 30 <= j.data["n"] < 40,
    "data.n:7": lambda j, now: j.data["n"] == 7,
    "data.n:>=50": lambda j, now: j.data["n"] >= 50,
    "data.ok:true": lambda j, now: j.data["ok"],
    "data.tags:t3": lambda j, now: "t3" in j.data["tags"],
    "data.tags[1]:t3": lambda j, now: j.data["tags"][1] == "t3",
    "-data.missing:x": lambda j, now: True,
    "result.width:9": lambda j, now: j.result == {"width": 9},
    "error:timeout": lambda j, now: j.error is not None and "Timeout" in j.error.type,
    "error:50%": lambda j, now: j.error is not None and "50%" in j.error.message,
    "error:5_%": lambda j, now: False,
    "payments": lambda j, now: j.error is not None and "payments" in j.error.message,
    "-resize": lambda j, now: j.type != "IMAGE_RESIZE",
    "id:job_0": lambda j, now: True,
    "id:JOB_7": lambda j, now: False,
    "flow:flow_00000000000000000000000003": lambda j, now: j.flow == "flow_00000000000000000000000003",
    "flow:flow_0000 state:failed": lambda j, now: j.state == "failed",
    "state:failed fingerprint:f00d type:email": lambda j, now: j.state == "failed" and j.type == "email",
    "fingerprint:f0": lambda j, now: j.error is not None and j.error.fingerprint == "f00d",
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_a_query_finds_exactly_the_jobs_it_describes(filled: Ledger, clock: FakeClock, text: str) -> None:
    query, now = parse(text), clock.now()
    wanted = [job.id for job in every(filled) if CASES[text](job, now)]
    assert search.ids(filled, query) == wanted
    assert [line.id for line in search.lines(filled, query, limit=1000)] == wanted
    assert search.count(filled, query) == (len(wanted), True)
    assert [search.seq_at(filled, query, place) for place in range(len(wanted) + 1)] == [
        *(line.seq for line in search.lines(filled, query, limit=1000)),
        None,
    ]


def test_an_id_may_be_shortened_and_written_small(filled: Ledger) -> None:
    some = every(filled)[7].id
    for text in (f"id:{some}", f"id:{some[4:].lower()}", f"id:job_*{some[-8:]}"):
        assert search.ids(filled, parse(text)) == [some]


@pytest.mark.parametrize("text", ["", "-state:completed", "queue:upload.*", "type:IMAGE_*", "user:ada"])
def test_pages_meet_without_gap_or_repetition_while_jobs_arrive(filled: Ledger, text: str) -> None:
    query = parse(text)
    wanted = search.ids(filled, query)
    found, token = [], None
    while True:
        page = search.page(filled, query, limit=7, token=token)
        found += [job.id for job in page.jobs]
        submit(filled, type="IMAGE_RESIZE", queue="upload.normal", user="ada")
        if page.next is None:
            break
        token = page.next
    assert found == wanted


def test_lines_after_are_the_next_newer_ones_newest_first(filled: Ledger) -> None:
    query = parse("queue:upload.*")
    lines = search.lines(filled, query, limit=100)
    assert search.lines_after(filled, query, after_seq=lines[20].seq, limit=5) == lines[15:20]
    assert search.lines_after(filled, query, after_seq=0, limit=3) == lines[-3:]
    assert search.lines(filled, query, before_seq=lines[4].seq, limit=5) == lines[5:10]


def test_lines_by_seq_leave_out_what_is_gone(filled: Ledger) -> None:
    lines = search.lines(filled, parse(""), limit=3)
    assert search.lines_by_seq(filled, [line.seq for line in lines] + [99999]) == {line.seq: line for line in lines}
    assert lines[0].subject == "IMG_59.HEIC"
    assert lines[0].state is State.PROCESSING


def test_a_page_token_of_somebody_else_is_refused(filled: Ledger) -> None:
    for token in ("nonsense", "", "c2VxOng", "ä"):
        with pytest.raises(UsageError, match="page token"):
            search.page(filled, parse(""), limit=5, token=token)


def test_a_count_that_reads_too_much_stops_and_says_so(filled: Ledger) -> None:
    number, exact = search.count(filled, parse("user:ada"), examined=30)
    assert (number, exact) == (10, False)


def test_places_of_all_jobs_are_right_where_some_were_deleted(filled: Ledger) -> None:
    for id_ in search.ids(filled, parse("state:failed")):
        with filled.write() as tx:
            moves.delete(tx, id_)
    seqs = [line.seq for line in search.lines(filled, parse(""), limit=100)]
    assert [search.seq_at(filled, parse(""), place) for place in range(len(seqs))] == seqs


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("state:failed", "job_state"),
        ("-state:completed", "job_"),
        ("state:processing", "job_running"),
        ("queue:upload.*", "job_queue"),
        ("type:IMAGE_*", "job_type"),
        ("type:email state:failed,pending user:ada", "job_"),
        ("flow:flow_00000000000000000000000003", "job_flow"),
        ("state:failed fingerprint:f00d", "job_error"),
        ("user:ada", "PRIMARY KEY"),
        ("", "PRIMARY KEY"),
    ],
)
def test_pages_walk_an_index_and_sort_nothing(filled: Ledger, text: str, index: str) -> None:
    sql, values = plan(filled, parse(text)).sql(limit=50, before=1000)
    steps = [row[3] for row in filled.rows("EXPLAIN QUERY PLAN " + sql, values)]
    reading = [step for step in steps if step.startswith(("SEARCH j ", "SCAN j ")) or step in ("SEARCH j", "SCAN j")]
    assert reading and all(index in step for step in reading), steps
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    few = ("flow:", "state:failed fingerprint", "state:processing", "-state:completed")  # what runs is few
    assert len(sorts) <= text.startswith(few), steps


def test_what_a_user_writes_never_becomes_sql(filled: Ledger) -> None:
    before = filled.row("SELECT count(*) FROM job")
    for nasty in ("x'; DROP TABLE job; --", '"; --', "%", "_", "[", "\\", "$.a", "')"):
        quoted = '"' + nasty.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for text in ("{}", "queue:{}", "type:{}", "user:{}", "id:{}", "error:{}", "data.path:{}", "flow:{}"):
            search.lines(filled, parse(text.format(quoted)), limit=5)
            search.count(filled, parse(text.format(quoted)))
    search.lines(filled, parse("data.a'b:x data.$:y"), limit=5)
    assert filled.row("SELECT count(*) FROM job") == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    clock = FakeClock()
    ledger = Ledger(tmp_path_factory.mktemp("search") / "jobdesk.db", clock)
    fill(ledger, clock)
    yield ledger
    ledger.close()


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.sampled_from(sorted(CASES)), min_size=2, max_size=4))
def test_words_together_are_and(shared: Ledger, texts: list[str]) -> None:
    query, now = parse(" ".join(texts)), shared.clock.now()
    wanted = [job.id for job in every(shared) if all(CASES[text](job, now) for text in texts)]
    assert search.ids(shared, query) == wanted
    assert search.count(shared, query) == (len(wanted), True)
