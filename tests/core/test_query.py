"""The query language: reads what it writes, and says where a wrong query is wrong and what would fit."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobdesk.core.errors import QueryError
from jobdesk.core.job import PRIORITIES, State
from jobdesk.core.query import Query, Sort, Term, complete, fields, parse, word_at

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_DURATION = st.sampled_from(["500ms", "5s", "2m", "1h30m", "7d"])
_NUMBER = st.integers(-(10**9), 10**9).map(str)
_VALUES = {
    Sort.STATE: st.sampled_from([str(state) for state in State]),
    Sort.PRIORITY: st.sampled_from([*PRIORITIES, "0", "63", "100"]),
    Sort.DURATION: _DURATION,
    Sort.NUMBER: _NUMBER,
    Sort.NAME: _TEXT,
    Sort.TEXT: _TEXT,
    Sort.WORDS: _TEXT.map(lambda text: "a" + text.replace("*", "").replace("?", ""))
    | st.sampled_from(["thumb*", "two words", "IMG_20*"]),
    Sort.JSON: _TEXT,
}
_KEY = st.text("abzAZ_$é-", min_size=1, max_size=6)
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other tests."""


@st.composite
def terms(draw: st.DrawFn) -> Term:
    negated = draw(st.booleans())
    field = draw(st.sampled_from([None, *fields()]))
    if field is None:
        return Term((draw(_TEXT),), negated=negated)
    path: tuple[str | int, ...] = ()
    if field.sort is Sort.JSON:
        path = (draw(_KEY), *draw(st.lists(st.integers(0, 99) | _KEY, max_size=2)))
    ordered = field.sort is Sort.DURATION or (
        field.sort in (Sort.PRIORITY, Sort.NUMBER, Sort.JSON) and draw(st.booleans())
    )
    if ordered:
        value = draw(_NUMBER if field.sort is Sort.JSON else _VALUES[field.sort])
        return Term((value,), field.name, path, draw(st.sampled_from([">", ">=", "<", "<="])), negated)
    values = tuple(draw(st.lists(_VALUES[field.sort], min_size=1, max_size=3)))
    return Term(values, field.name, path, "", negated)


@_UNHURRIED
@given(st.lists(terms(), max_size=4).map(lambda made: Query(tuple(made))))
def test_every_query_reads_back_as_itself(query: Query) -> None:
    assert parse(str(query)) == query


@_UNHURRIED
@given(st.text(max_size=40))
@example('a"b c"')
@example("--x")
@example(":")
@example('data.a[0][1].b:"x\\"y"')
def test_any_text_is_a_query_or_an_error_that_points_into_it(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert 1 <= error.length <= max(1, len(text) - error.position)
    else:
        assert parse(str(query)) == query


def test_the_words_of_the_contract_are_understood() -> None:
    query = parse('state:failed,expired -queue:upload.* age:>1h data.path:*.heic error:"time out" retry')
    assert query.terms == (
        Term(("failed", "expired"), "state"),
        Term(("upload.*",), "queue", negated=True),
        Term(("1h",), "age", operator=">"),
        Term(("*.heic",), "data", ("path",)),
        Term(("time out",), "error"),
        Term(("retry",)),
    )


@pytest.mark.parametrize(
    ("text", "position", "length", "says"),
    [
        ("queue:a stat:failed", 8, 4, "did you mean 'state'"),
        ("state:faild", 6, 5, "did you mean 'failed'"),
        ("state:failed,activ", 13, 5, "states are blocked"),
        ("state:active", 6, 6, "here it is 'processing'"),
        ("age:1h", 4, 2, "write age:>1h"),
        ("age:>soon", 5, 4, "500ms, 5s, 2m"),
        ("took:>1h,2h", 8, 1, "takes one value"),
        ("attempt:>many", 9, 4, "not a number"),
        ("priority:top", 9, 3, "urgent, high, normal, low"),
        ("user:>a", 5, 1, "has no order"),
        ("queue:", 6, 1, "needs a value"),
        ('error:"no end', 6, 7, "closing quote is missing"),
        ('error:"a"b', 9, 1, "closing quote"),
        ("data:x", 0, 4, "data.path:*.heic"),
        ("queue.x:y", 0, 7, "has no parts"),
        ("text:a*b", 5, 3, "words are found by their beginning: write text:thumb*"),
        ('state:failed text:"--"', 18, 4, "no letter or digit"),
        ("state:failed -", 13, 1, "-state:completed"),
    ],
)
def test_a_wrong_query_says_where_and_what_would_fit(text: str, position: int, length: int, says: str) -> None:
    with pytest.raises(QueryError, match=re.escape(says)) as caught:
        parse(text)
    assert (caught.value.position, caught.value.length) == (position, length)


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("sta", ["state:"]),
        ("-sta", ["-state:"]),
        ("queue:a state:fai", ["state:failed"]),
        ("state:failed,exp", ["state:failed,expired"]),
        ("queue:up", ["queue:upload.normal", "queue:upload.batch"]),
        ("-priority:u", ["-priority:urgent"]),
        ("age:>1", [">1m", ">10m", ">1h", ">1d"]),
        ("nonsense:x", []),
    ],
)
def test_completion_offers_what_may_stand_there(text: str, offers: list[str]) -> None:
    offered = complete(text, len(text), {"queue": ["upload.normal", "upload.batch", "notifications"]})
    assert [one.removeprefix("age:") for one in offered] == offers
    start, end = word_at(text, len(text))
    for one in offered:
        parse(text[:start] + one + text[end:] + ("x" if one.endswith((":", ".")) and "sta" not in one else "") + (
            "failed" if one.endswith("state:") else ""
        ))  # fmt: skip


def test_completion_in_the_middle_of_a_query_replaces_that_word_only() -> None:
    assert word_at("queue:a sta type:b", 11) == (8, 11)
    assert complete("queue:a sta type:b", 11) == ["state:"]
    assert len(complete("", 0)) == len(fields())


@pytest.mark.parametrize(
    ("text", "said", "at"),
    [
        (" ".join(f"w{n}" for n in range(300)), "250 words", sum(len(f"w{n} ") for n in range(250))),
        ("data.n:" + ",".join("1" * 501), "500 values", len("data.n:") + 500 * 2 - 1),
    ],
)
def test_a_query_beyond_what_can_be_looked_up_says_how_much_fits(text: str, said: str, at: int) -> None:
    with pytest.raises(QueryError, match=said) as refused:
        parse(text)
    assert refused.value.position == at
