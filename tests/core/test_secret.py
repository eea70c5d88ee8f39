"""`Secret` as the annotation of a parameter: checked, sealed, opened, and never said."""

import base64
import json
import pickle
from typing import Any

import pytest

from jobdesk import Context, Secret, processor
from jobdesk.core.errors import PayloadError, SecretError
from jobdesk.core.processor import MARK, Processor
from jobdesk.core.redaction import MASK


@processor("login")
def login(
    ctx: Context, name: str, password: Secret[str], more: Secret[dict[str, int]] | None = None,
    several: list[Secret[str]] = [],  # noqa: B006
) -> list[Any]:  # fmt: skip
    """Say what was given."""
    return [password.reveal(), more and more.reveal(), [one.reveal() for one in several]]


LOGIN: Processor = getattr(login, MARK)


def seal(text: str) -> str:
    return "jdsecret.00000000." + base64.urlsafe_b64encode(text.encode()).decode()


class Opener:
    def __init__(self) -> None:
        self.known: list[Any] = []

    def open(self, token: str) -> str:
        return base64.urlsafe_b64decode(token.split(".")[2]).decode()

    def know(self, value: Any) -> None:
        self.known.append(value)


def test_a_secret_is_stored_as_a_token_and_opened_where_it_is_revealed() -> None:
    given = {"name": "ada", "password": "hunter2", "more": {"pin": 1234}, "several": ["one", "two"]}
    stored = LOGIN.check(given, seal=seal)
    assert stored["name"] == "ada" and "hunter2" not in json.dumps(stored)
    opener = Opener()
    assert LOGIN.call(None, stored, opener) == ["hunter2", {"pin": 1234}, ["one", "two"]]
    assert "hunter2" in opener.known and {"pin": 1234} in opener.known
    assert LOGIN.check(stored) == stored  # a token is taken as it is: a retry seals nothing again


def test_a_token_within_a_longer_text_works_too() -> None:
    stored = LOGIN.check({"name": "ada", "password": "Bearer " + seal('"hunter2"')}, seal=seal)
    assert LOGIN.call(None, stored, Opener())[0] == "Bearer hunter2"
    late = {**stored, "password": "Basic " + seal('"hunter2"')}  # of an earlier step, put in as the job begins
    assert LOGIN.call(None, late, Opener())[0] == "Basic hunter2"


@pytest.mark.parametrize("wrong", [{"password": 51234}, {"password": "x", "more": {"pin": "hunter2"}}])
def test_an_error_names_the_key_and_not_the_value(wrong: dict[str, Any]) -> None:
    with pytest.raises(PayloadError) as error:
        LOGIN.check({"name": "ada"} | wrong, seal=seal)
    assert "'password'" in str(error.value) or "'more.pin'" in str(error.value)
    assert "hunter2" not in str(error.value) and "51234" not in str(error.value)


def test_a_mask_is_no_secret() -> None:
    with pytest.raises(PayloadError, match="only the mask"):
        LOGIN.check({"name": "ada", "password": MASK}, seal=seal)


def test_nothing_but_reveal_says_it() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {secret:>20}"
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_a_token_is_not_opened_outside_of_a_job() -> None:
    model = LOGIN.payload.model_validate({"name": "ada", "password": seal('"hunter2"')})
    with pytest.raises(SecretError, match="only in the job"):
        model.password.reveal()  # type: ignore[attr-defined]


def test_the_schema_says_which_are_secret() -> None:
    properties = LOGIN.schema()["properties"]
    assert properties["password"]["writeOnly"] and properties["password"]["format"] == "password"
    assert LOGIN.secrets == {"password", "more", "several"}
