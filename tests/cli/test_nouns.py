"""Reading a command line imports the module of its noun only, and never the wrong one."""

import argparse

import pytest

from jobdesk.cli.main import _nouns_of, build


def names(parser: argparse.ArgumentParser) -> set[str]:
    group = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return set(group.choices)


def test_every_command_is_found_without_the_others() -> None:
    everything = names(build())
    for name in everything:
        nouns = _nouns_of([name, "--json"])
        assert len(nouns) == 1
        assert name in names(build(nouns))


@pytest.mark.parametrize("words", [["--help"], ["jbos"], ["--", "jobs"], ["--json", "-h"]])
def test_help_and_what_is_not_known_take_all_of_them(words: list[str]) -> None:
    assert names(build(_nouns_of(words))) == names(build())


def test_values_of_options_are_no_commands() -> None:
    assert _nouns_of(["--home", "jobs"]) == ()
    assert _nouns_of(["--home", "jobs", "--workers", "2", "flows", "list"]) == ("flows",)
