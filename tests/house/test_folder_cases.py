"""Each way in which drop folders fail has a test, and the list of them is true."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_case_names_tests_that_exist() -> None:
    lines = re.findall(r"^\| (\d+) \|(.*)\|$", (TESTS / "folders/README.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, 36))
    for number, line in lines:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", line.rpartition("|")[2])
        assert named, f"case {number} has no test"
        for file, test in named:
            assert f"def {test}(" in (TESTS / file).read_text(), f"case {number}: there is no {file}::{test}"
