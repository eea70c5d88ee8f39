"""What the redactor hides, and what it leaves."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.redaction import MASK, RedactedLines, Redactor, patterns, restored, shown

_KEY = "abcdefghijklmnopqrstuvwx"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=hunter2 and more", f"password={MASK} and more"),
        ("smtp_password: 'hunter 2'", f"smtp_password: {MASK}"),
        ('{"api_key": "hunter2", "n": 1}', f'{{"api_key": {MASK}, "n": 1}}'),
        ("curl --token hunter2 https://h/", f"curl --token {MASK} https://h/"),
        (f"{60 * '-'}token hunter2", f"{60 * '-'}token {MASK}"),
        ("x-access-token hunter2 and --db--password hunter2", f"x-access-token {MASK} and --db--password {MASK}"),
        ("Authorization: Bearer hunter2", f"Authorization: Bearer {MASK}"),
        ("{'Authorization': 'Basic aHVudGVyMg=='}", f"{{'Authorization': 'Basic {MASK}'}}"),
        ("Cookie: session=hunter2; theme=dark", f"Cookie: {MASK}"),
        ("postgresql://ada:hunter2@host/db", f"postgresql://ada:{MASK}@host/db"),
        ("https://ada:hunt@er2@host/", f"https://ada:{MASK}@host/"),
        ("https://host/a?x=1&token=hunter2&y=2", f"https://host/a?x=1&token={MASK}&y=2"),
        ("key AKIAIOSFODNN7EXAMPLE here", f"key {MASK} here"),
        (f"ghp_{_KEY}{_KEY}", MASK),
        (f"github_pat_{_KEY}", MASK),
        ("xoxb-1234567890-hunter2", MASK),
        (f"sk_live_{_KEY}", MASK),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nmore", f"{MASK}\nmore"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2 and the rest was cut", MASK),
        (f"jdsecret.0a1b2c3d.gAAAA{_KEY}==", MASK),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, left: str) -> None:
    assert patterns(text) == left
    assert patterns(left) == left  # what is hidden stays as it is


@pytest.mark.parametrize(
    "text",
    [
        "5 passed in 3 s", "max_tokens_left=5", "the tokenizer: fast", "monkey: banana", "https://host:8080/path@2",
        "password=${env:SMTP_PASSWORD}", "-----BEGIN CERTIFICATE-----", "a key: b", "10:30:00 done",
    ],
)  # fmt: skip
def test_what_does_not_stays(text: str) -> None:
    assert patterns(text) == text


@given(st.text(min_size=4, max_size=60).filter(lambda text: len(text.strip()) >= 4), st.text(max_size=40))
def test_a_known_value_is_found_however_it_is_written(value: str, around: str) -> None:
    redactor = Redactor([value])
    as_json, python = json.dumps(value), (repr(value), ascii(value), repr(value.encode())[1:])
    urls = quote(value, safe=""), quote_plus(value)
    for form in (value, as_json, json.dumps(value, ensure_ascii=False), *python, *urls):
        bare = form.strip("\"'") if form != value else form
        if bare in MASK + around:
            continue
        hidden = redactor.known(f"{around}|{form}|{around}")
        assert bare not in hidden.replace(around, "")
    assert value not in json.dumps(redactor.value({"a": [value, 1]}), ensure_ascii=False) or value in MASK


def test_a_value_within_a_longer_one_does_not_uncover_the_rest() -> None:
    assert Redactor(["hunter", "hunter2-long"]).known("hunter2-long") == MASK


def test_the_lines_of_a_value_with_several_are_hidden_one_by_one() -> None:
    redactor = Redactor(["first line of it\nsecond line of it\n"])
    assert redactor.known("said: second line of it") == f"said: {MASK}"


def test_a_private_key_that_comes_line_by_line_is_hidden_to_its_end() -> None:
    lines = RedactedLines()
    said = [lines.line(line) for line in ("-----BEGIN EC PRIVATE KEY-----", "hunter2", "-----END EC PRIVATE KEY-----")]
    assert said == [MASK] * 3 and lines.line("after it") == "after it"


def test_values_are_remembered_and_the_oldest_forgotten() -> None:
    redactor = Redactor()
    for start in range(0, 400, 100):
        redactor.know([f"value number {number:04}" for number in range(start, start + 100)])
    assert redactor.known("value number 0399") == MASK


def test_secrets_of_the_settings_are_never_forgotten() -> None:
    redactor = Redactor()
    redactor.know("of the settings", always=True)
    for start in range(0, 400, 100):
        redactor.know([f"value number {number:04}" for number in range(start, start + 100)])
    redactor.know([f"one of many {number:04}" for number in range(400)])
    assert redactor.known("of the settings, one of many 0000") == f"{MASK}, {MASK}"
    assert redactor.known("value number 0000") == "value number 0000"


@pytest.mark.parametrize("value", ["s\u00ebcret w\u00f6rd/+&?=%", "hunter22", "a~b>?>?>?"])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xx", ":more"])
def test_a_known_value_is_found_in_base64_wherever_it_stands(value: str, before: str, after: str) -> None:
    redactor = Redactor([value])
    for encode in (b64encode, urlsafe_b64encode):
        said = encode(f"{before}{value}{after}".encode()).decode()
        hidden = redactor.known(said)
        assert MASK in hidden and len(hidden) - len(MASK) <= 4 * (1 + (len(before) + 2) // 3 + (len(after) + 2) // 3)


def test_an_edit_keeps_what_was_masked() -> None:
    stored = {
        "password": "plain",
        "token": "jdsecret.0a1b2c3d.gAA",
        "url": "https://a:b@h/",
        "n": 1,
        "l": [{"pwd": "x"}],
    }
    seen = shown(stored)
    assert "plain" not in str(seen) and "gAA" not in str(seen) and "a:b@" not in str(seen)
    assert restored(seen, stored) == stored
    assert restored(seen | {"n": 2, "password": "new"}, stored) == stored | {"n": 2, "password": "new"}
