"""REFERENCE-SYSTEMS.md says what is so: each type, queue and schedule has the values there, each test is there."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.core.durations import seconds
from jobdesk.core.job import priority
from jobdesk.prepare import Completer
from jobdesk.schedules.builtin import BUILT_IN
from tests.support.home import make_home

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "REFERENCE-SYSTEMS.md"
SYSTEMS = ("anatome", "marketplace", "phraseworks", "snapasset", "upload service")
NONE = "–"


def tables() -> list[tuple[tuple[str, ...], list[list[str]]]]:
    """Each table of the page: the names of its columns, and its rows."""
    found: list[tuple[tuple[str, ...], list[list[str]]]] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not inside:
            found.append((tuple(cells), []))
        elif set("".join(cells)) != {"-"}:
            assert len(cells) == len(found[-1][0]), line
            found[-1][1].append(cells)
        inside = True
    return found


def rows(first: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of all tables whose first column has this name: what stands there, and the row by column."""
    for columns, lines in tables():
        if columns[0] == first:
            for cells in lines:
                row = dict(zip(columns, cells, strict=True))
                yield cells[0].strip("`"), row


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(make_home(tmp_path))
    yield desk
    desk.close()


def test_each_type_is_there_with_its_queue_and_limits(desk: Desk) -> None:
    usual = Completer(desk.config, lambda: desk.vault, desk.home.path)
    named = dict(rows("type"))
    assert len(named) == len(list(rows("type"))), "a type stands there twice"
    for type_, row in named.items():
        has = usual._work_out(type_, None, desk.registry.processors[type_])
        retries, first_wait = row["retries"].split(", ")
        said = (
            row["queue"].strip("`"), priority(row["priority"]), int(retries), seconds(first_wait),
            seconds(row["timeout"]),
        )  # fmt: skip
        assert said == (has.queue, has.priority, has.retries, has.retry.delay_s, has.timeout_s), type_
    others = {one for one in desk.registry.processors if not one.startswith("demo.")}
    assert named.keys() == others, "every built-in type stands there"
    assert not desk.registry.broken


def test_each_queue_is_as_its_table_says(desk: Desk) -> None:
    there = desk.config.queues
    named = dict(rows("queue"))
    assert named.keys() == there.keys() and len(named) == len(list(rows("queue")))
    for name, row in named.items():
        has = there[name]
        kept, _, most = row["dead letters kept"].partition(", ")
        retries, _, first_wait = row["retries"].partition(", ")
        said = (
            priority(row["priority"]), _span(row["TTL"]), _span(kept), most, row["at once"], retries,
            _span(first_wait or NONE),
        )  # fmt: skip
        assert said == (
            has.priority, has.ttl, has.dead_letter_ttl, "" if has.keep_failed is None else f"{has.keep_failed} failed",
            str(has.concurrency or NONE), NONE if has.retries is None else str(has.retries), has.retry_delay,
        ), name  # fmt: skip
    assert named.keys() == {queue.name for queue in desk.queues()}


def test_each_schedule_is_as_its_table_says_and_off(desk: Desk) -> None:
    named = dict(rows("schedule"))
    assert named.keys() == BUILT_IN.keys() == {one.name for one in desk.schedules_off()} and not desk.schedules()
    assert len(named) == len(list(rows("schedule")))
    for name, row in named.items():
        has = BUILT_IN[name]
        assert (row["cron (UTC)"].strip("`"), row["type"].strip("`")) == (has.cron, has.type), name
        assert (has.timezone, {} if row["data"] == NONE else json.loads(row["data"].strip("`"))) == ("UTC", has.data)


def test_defaults_are_those_of_the_references(desk: Desk) -> None:
    """phraseworks and the upload service name the same."""
    has = desk.config.defaults
    assert (has.retries, has.retry_delay, has.backoff, has.factor) == (3, 5, "exponential", 2)
    assert (has.max_delay, has.timeout) == (30, 300)


def test_every_row_names_tests_that_exist() -> None:
    count = 0
    for columns, lines in tables():
        assert columns[-1] == "test"
        for cells in lines:
            named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells[-1])
            assert named, f"{cells[0]} has no test"
            for file, test in named:
                assert test in _functions(file), f"{cells[0]}: there is no {file}::{test}"
            count += 1
    assert count > 150


def test_every_system_has_its_tables() -> None:
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    found = {part.partition("\n")[0]: part for part in parts[1:]}
    for system in SYSTEMS:
        headings = re.findall(r"^### (.*)$", found[system], re.MULTILINE)
        assert headings[:2] == ["Job types", "Queues"] and "Operations" in headings, system


def _span(text: str) -> float | None:
    return None if text == NONE else seconds(text)


@cache
def _functions(file: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_"))
