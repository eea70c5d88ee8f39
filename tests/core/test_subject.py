"""What a job is about, from its payload."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.subject import LONGEST, subject, subject_of_text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"sizes": [1], "source": "/in/IMG_1.heic"}, "IMG_1.heic"),
        ({"source": "/tmp/x.bin", "name": "cat.jpg"}, "cat.jpg"),
        ({"sourceUrl": "https://x.org/a/b.png?size=2"}, "b.png"),
        ({"command": ["ls", "-l", "a b"]}, "ls -l a b"),
        ({"to": "ada@example.org", "template": "t"}, "ada@example.org"),
        ({"n": 5, "kind": "nightly"}, "nightly"),
        ({"prompt": "two\nlines\x1b[31m"}, "two lines [31m"),
        ({"n": 5, "deep": {"path": "x"}}, ""),
        ({}, ""),
    ],
)
def test_the_most_telling_value_is_shown(data: dict[str, object], said: str) -> None:
    assert subject(data) == said


def test_a_cut_payload_still_says_what_it_is_about() -> None:
    text = json.dumps({"name": "cat.jpg", "pad": "x" * 5000})
    assert subject_of_text(text[:2000]) == "cat.jpg"
    assert subject_of_text("[1, 2") == subject_of_text("") == ""


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200) | st.integers() | st.lists(st.text()), max_size=4))
def test_a_subject_is_one_short_printable_line(data: dict[str, object]) -> None:
    said = subject(data)
    assert len(said) <= LONGEST and (said.isprintable() or said == "")
