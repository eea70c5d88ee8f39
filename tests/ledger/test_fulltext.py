"""The index of words: whatever happened to the jobs and however far the index is, a search finds what is there."""

import re
import sqlite3
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, precondition, rule

from jobdesk.core.job import FINAL, Job, JobError
from jobdesk.core.query import parse
from jobdesk.ledger import checks, claiming, indexing, moves, prune, reads, search
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.plan import plan
from jobdesk.runtime.indexer import Indexer
from jobdesk.runtime.quiet import BUSY, PATIENCE_S
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit
from tests.support.ledger_machine import LedgerMachine

WORDS = ("sunset", "IMG_2041.jpg", "Über", "no", "sun", "two words", "a\nb", "4.5")
MESSAGES = ("no answer from payments", "sunset is over", "50% of two words", "", "Übergröße")
QUERIES = (
    "text:sunset", "text:SUN*", "text:img_20*", "text:uber", 'text:"two words"', "text:words,no", "text:b", "text:4",
    "-text:sunset", "text:sunset text:two", "text:payments", "error:payments", "error:set,answer", "error:50%",
    "error:Broken text:no", "payments", "broken", "resize", "set", "-over", "text:sunset state:failed", "text:source",
    "sunset error:over", "text:trace", 'text:"payments trace"',
)  # fmt: skip


def texts(job: Job) -> list[str]:
    """What `text:` looks into, without the index's own idea of words."""
    values = [one for key, value in job.data.items() for one in (key, *(value if isinstance(value, list) else [value]))]
    error = [] if job.error is None else [job.error.type, job.error.message, job.error.traceback or ""]
    return [plain(text) for text in [" ".join(values), *error]]


def plain(text: str) -> str:
    folded = text.lower().replace("ü", "u").replace("ö", "o").replace("ß", "ss")
    return f" {' '.join(re.findall('[a-z0-9]+', folded))} "


def fits(job: Job, query: str) -> bool:
    return all(_fits(job, term) for term in parse(query).terms)


def _fits(job: Job, term: Any) -> bool:
    error = "" if job.error is None else f"{job.error.type}\n{job.error.message}"
    if term.field == "text":
        wanted = [plain(one)[:-1] + ("" if one.endswith("*") else " ") for one in term.values]
        found = any(one in text for one in wanted for text in texts(job))
    elif term.field == "error":
        found = any(one.lower() in error.lower() for one in term.values)
    elif term.field == "state":
        found = job.state in term.values
    else:
        found = term.values[0].lower() in f"{job.type}\n{error}".lower()
    return bool(found != term.negated)


class Searching(LedgerMachine):
    def every(self) -> list[Job]:
        return [reads.job(self.ledger, id_) for (id_,) in self.ledger.rows("SELECT id FROM job ORDER BY seq DESC")]

    def pick(self, place: int) -> Job | None:
        jobs = [job for job in self.every() if job.state in FINAL]
        return jobs[place % len(jobs)] if jobs else None

    @rule(word=st.sampled_from(WORDS), more=st.sampled_from(WORDS), type_=st.sampled_from(["email", "IMAGE_RESIZE"]))
    def submit(self, word: str, more: str, type_: str) -> None:
        submit(self.ledger, type=type_, data={"source": word, "n": [more]}, max_attempts=1)

    @rule(message=st.sampled_from(MESSAGES), trace=st.sampled_from([None, "trace sunset"]))
    def fail(self, message: str, trace: str | None) -> None:
        self._end(JobError("Broken", message, trace))

    @rule()
    def complete(self) -> None:
        self._end(None)

    def _end(self, error: JobError | None) -> None:
        with self.ledger.write() as tx:
            job = claiming.claim(tx, "con_test/1")
            if job is not None and error is None:
                moves.complete(tx, job, None)
            elif job is not None and error is not None:
                moves.fail(tx, job, error, None)

    @rule(place=st.integers(0, 9), word=st.sampled_from(WORDS) | st.none())
    def retry(self, place: int, word: str | None) -> None:
        if (job := self.pick(place)) is not None:
            with self.ledger.write() as tx:
                moves.retry(tx, job.id, None if word is None else {"source": word})

    @rule(place=st.integers(0, 9))
    def delete(self, place: int) -> None:
        if (job := self.pick(place)) is not None:
            with self.ledger.write() as tx:
                moves.delete(tx, job.id)

    @rule()
    def clean(self) -> None:
        found = prune.beyond(self.ledger, "default", sorted(FINAL), (0.0, 0), self.clock.now(), 10)
        with self.ledger.write() as tx:
            prune.remove(tx, found.doomed)

    @rule(most=st.integers(1, 4))
    def extend(self, most: int) -> None:
        if not indexing.refresh(self.ledger, 1000).more:
            indexing.extend(self.ledger, most)

    @rule(most=st.integers(1, 4))
    def refresh(self, most: int) -> None:
        indexing.refresh(self.ledger, most)

    @rule()
    def merge(self) -> None:
        indexing.merge(self.ledger, 4)

    @precondition(lambda self: hasattr(self, "ledger"))
    @rule(queries=st.lists(st.sampled_from(QUERIES), min_size=3, max_size=3))
    def look(self, queries: list[str]) -> None:
        jobs = self.every()
        for query in queries:
            wanted = [job.id for job in jobs if fits(job, query)]
            assert search.ids(self.ledger, parse(query)) == wanted, query
            assert search.count(self.ledger, parse(query)) == (len(wanted), True), query

    @invariant()
    def the_index_agrees(self) -> None:
        if hasattr(self, "ledger"):
            assert checks.unindexed(self.ledger) == []


Searching.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSearching = Searching.TestCase


def settle(indexer: Indexer, clock: FakeClock) -> int:
    """Let the indexer work until it rests, after a quiet second; in how many steps."""
    clock.advance(1)
    for steps in range(10_000):
        if indexer.run_once() is None:
            return steps
    raise AssertionError("it never ends")


def test_all_answers_are_the_same_before_and_after_indexing(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(300):
        submit(ledger, data={"path": f"/photos/IMG_{number}.jpg", "album": WORDS[number % len(WORDS)]})
    for number in range(90):
        job = claim(ledger)
        with ledger.write() as tx:
            moves.fail(tx, job, JobError("Broken", MESSAGES[number % 5], None), None)
    before = {query: search.ids(ledger, parse(query)) for query in QUERIES}
    settle(Indexer(ledger, clock), clock)
    assert not indexing.is_behind(ledger)
    jobs = [reads.job(ledger, id_) for (id_,) in ledger.rows("SELECT id FROM job ORDER BY seq DESC")]
    for query in QUERIES:
        assert search.ids(ledger, parse(query)) == before[query] == [job.id for job in jobs if fits(job, query)], query
    first = search.page(ledger, parse("text:photos"), limit=70)
    second = search.page(ledger, parse("text:photos"), limit=300, token=first.next)
    assert [job.id for job in first.jobs + second.jobs] == [job.id for job in jobs]
    assert [search.seq_at(ledger, parse("text:photos"), place) for place in (0, 299, 300)] == [300, 1, None]


def test_a_rare_word_is_found_by_the_index_without_sorting(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(100):
        submit(ledger, data={"path": f"IMG_{number}.jpg"})
    settle(Indexer(ledger, clock), clock)
    for text in ("text:img_7", "error:payments", "payments"):
        sql, values = plan(ledger, parse(text)).sql(limit=50)
        steps = [row[3] for row in ledger.rows("EXPLAIN QUERY PLAN " + sql, values)]
        assert any("SCAN x VIRTUAL TABLE" in step for step in steps), steps
        assert not [step for step in steps if "TEMP B-TREE" in step], steps


def test_the_end_of_an_id_is_found_as_lists_show_it(ledger: Ledger, clock: FakeClock) -> None:
    ids = [submit(ledger) for _ in range(30)]
    for _ in range(2):
        for id_ in ids:
            assert search.ids(ledger, parse(id_[-8:].lower())) == [id_]
            assert search.ids(ledger, parse(id_)) == search.ids(ledger, parse(id_[-12:])) == [id_]
        settle(Indexer(ledger, clock), clock)


def test_a_plain_completion_leaves_the_index_alone(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger, data={"path": "sunset"})
    settle(Indexer(ledger, clock), clock)
    job = claim(ledger)
    with ledger.write() as tx:
        moves.complete(tx, job, {"done": True})
    assert not indexing.is_behind(ledger)


def test_the_indexer_waits_while_jobs_move_but_not_for_ever(ledger: Ledger, clock: FakeClock) -> None:
    indexer = Indexer(ledger, clock)

    def busy_second() -> float | None:
        with ledger.write() as tx:
            tx.many("INSERT INTO event (at, kind) VALUES (?, 'x')", [(clock.now(),)] * int(BUSY * 1.1))
        clock.advance(1)
        return indexer.run_once()

    submit(ledger)
    assert busy_second() is None and indexing.is_behind(ledger)
    for _ in range(int(PATIENCE_S)):
        assert busy_second() is None
    assert not indexing.is_behind(ledger)
    submit(ledger)
    clock.advance(1)
    settle(indexer, clock)
    assert not indexing.is_behind(ledger)


def test_a_job_too_large_for_one_step_is_indexed_all_the_same(ledger: Ledger, clock: FakeClock) -> None:
    big = " ".join(f"word{number}" for number in range(indexing.LETTERS // 4))
    ids = [submit(ledger, data={"text": big + f" last{number}"}) for number in range(3)]
    settle(Indexer(ledger, clock), clock)
    assert not indexing.is_behind(ledger)
    assert search.ids(ledger, parse("text:last1")) == [ids[1]]
    long = "x" * 3000
    id_ = submit(ledger, data={"text": long + "y"})
    settle(Indexer(ledger, clock), clock)
    assert search.ids(ledger, parse(f"text:{long[:900]}*")) == [id_]
    assert search.ids(ledger, parse(f"text:{long[:900]}")) == []


def test_a_damaged_index_is_noticed_and_built_anew(ledger: Ledger, clock: FakeClock) -> None:
    ids = [submit(ledger, data={"path": "sunset"}) for _ in range(20)]
    settle(Indexer(ledger, clock), clock)
    with ledger.write() as tx:
        tx.run("INSERT INTO fulltext (fulltext) VALUES ('delete-all')")
    assert checks.unindexed(ledger)
    with ledger.write() as tx:
        indexing.reset(tx)
    assert checks.unindexed(ledger) == []
    assert search.ids(ledger, parse("text:sunset")) == ids[::-1]
    settle(Indexer(ledger, clock), clock)
    assert search.ids(ledger, parse("text:sunset")) == ids[::-1]


@pytest.mark.parametrize("text", ["text:*", "text:a*b", "text:--", 'text:"?x"'])
def test_the_index_is_never_asked_what_it_cannot_answer(ledger: Ledger, text: str) -> None:
    from jobdesk.core.errors import QueryError

    with pytest.raises(QueryError, match="write text:thumb"):
        parse(text)


def test_words_of_a_user_never_become_fts_syntax(ledger: Ledger, clock: FakeClock) -> None:
    submit(ledger, data={"path": "NEAR AND OR NOT"})
    settle(Indexer(ledger, clock), clock)
    for nasty in (
        'x" OR "y',
        "NEAR(a b)",
        "words : x",
        "a AND",
        "^x",
        "{a b} : c",
        "'; DROP TABLE job; --",
        "\ue100x y",
    ):
        quoted = '"' + nasty.replace('"', '\\"') + '"'
        for query in (f"text:{quoted}", f"error:{quoted}", quoted):
            try:
                search.count(ledger, parse(query))
            except sqlite3.Error as error:
                raise AssertionError(query) from error
    assert len(search.ids(ledger, parse('text:"near and"'))) == 1
