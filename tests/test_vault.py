"""The keys of a home: made once, private, changed under way, lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobdesk import rekeying, vault
from jobdesk.core.errors import Refused, SecretError
from jobdesk.desk import Desk
from jobdesk.ledger import secrets
from jobdesk.vault import Vault
from tests.support.home import consumer, end, make_home, said, until

PROCESSORS = """
from jobdesk import Context, Secret, processor

@processor("login", retries=3, retry_delay="10ms")
def login(ctx: Context, password: Secret[str], name: str = "", fail: bool = False) -> dict:
    "Log in."
    assert password.reveal().startswith("hunter")
    if fail:
        raise OSError("the server is away")
    return {"length": len(password.reveal()), "token": Secret("fresh-" + password.reveal())}

@processor("other")
def other(ctx: Context) -> str:
    "Has no secret."
    return "done"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS)


def test_what_is_sealed_is_opened_by_any_process_of_the_home(home: Path) -> None:
    (home / "run").mkdir()
    first, second = Vault(home), Vault(home)
    token = first.seal("hunter2")
    assert "hunter2" not in token and second.open(token) == "hunter2"
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600
    assert first.mark("k") == second.mark("k") != first.mark("l")


def test_of_several_processes_that_need_the_first_key_one_makes_it(home: Path) -> None:
    (home / "run").mkdir()
    code = "import sys, pathlib, jobdesk.vault as v; print(v.Vault(pathlib.Path(sys.argv[1])).seal('x'))"
    makers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    tokens = [maker.communicate(timeout=60)[0].strip() for maker in makers]
    assert len({token.split(".")[1] for token in tokens}) == 1
    assert [Vault(home).open(token) for token in tokens] == ["x"] * 4


def test_keys_that_others_may_read_are_refused(home: Path) -> None:
    (home / "run").mkdir()
    Vault(home).seal("x")
    (home / "secret.key").chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        Vault(home).seal("y")


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"keys": ["short"], "mark": "m"}', '{"keys": [1], "mark": "m"}']
)
def test_a_spoiled_key_file_is_one_sentence(home: Path, text: str) -> None:
    (home / "secret.key").write_text(text)
    (home / "secret.key").chmod(0o600)
    with pytest.raises(SecretError, match=r"secret\.key"):
        Vault(home).seal("x")


def test_the_environment_may_have_the_keys(home: Path) -> None:
    old, new = vault.new_key(), vault.new_key()
    token = Vault(home, environment={vault.VARIABLE: old}).seal("hunter2")
    both = Vault(home, environment={vault.VARIABLE: f"{new}, {old}"})
    assert both.open(token) == "hunter2" and both.seal("x").split(".")[1] == vault.name_of(new)
    assert not (home / "secret.key").exists()
    with pytest.raises(SecretError, match="JOBDESK_SECRET_KEY is not a key"):
        Vault(home, environment={vault.VARIABLE: "mine"}).seal("x")


def test_the_keyring_of_the_system_may_have_them(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    from tests.support.keyring_file import KeyringFile

    monkeypatch.setenv("JOBDESK_TEST_KEYRING", str(tmp_path / "ring.json"))
    before = keyring.get_keyring()
    keyring.set_keyring(KeyringFile())  # type: ignore[no-untyped-call]  # keyring is annotated in part
    try:
        (home / "jobdesk.toml").write_text('[secrets]\nstore = "keyring"\n')
        desk = Desk(home)
        job = desk.submit("login", {"password": "hunter2"})
        key = json.loads((home / "secret.key").read_text())
        assert list(key) == ["keyring"] and key["keyring"] in (tmp_path / "ring.json").read_text()
        assert desk.vault.open(desk.job(job.id).data["password"]) == '"hunter2"'
        assert rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets")).changed == 1
        assert Vault(home).open(desk.job(job.id).data["password"]) == '"hunter2"'
        desk.close()
    finally:
        keyring.set_keyring(before)


def test_a_rotation_brings_everything_under_a_new_key(home: Path) -> None:
    desk = Desk(home)
    jobs = [desk.submit("login", {"password": f"hunter{n}"}).id for n in range(450)]
    desk.add_schedule("nightly", "login", cron="@daily", data={"password": "hunter-s"})
    desk.delete(desk.submit("login", {"password": "hunter-d"}).id)
    old = desk.job(jobs[0]).data["password"].split(".")[1]
    done = rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
    found = rekeying.check(desk.ledger, desk.vault)
    assert (done.changed, done.lost, found.secrets, found.lost) == (451, 0, 451, 0)
    assert set(found.keys) == {done.key} and done.key != old
    assert Vault(home).open(desk.job(jobs[7]).data["password"]) == '"hunter7"'
    (told,) = desk.audit(action="rotate")
    assert told.after == {"key": done.key, "changed": 451, "lost": 0}
    (gone,) = desk.undo().entry.jobs  # what is kept for an undo is under the new key too
    token = desk.job(gone).data["password"]
    assert (token.split(".")[1], Vault(home).open(token)) == (done.key, '"hunter-d"')
    desk.close()


def test_a_rotation_that_was_cut_short_is_gone_on_with(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(home)
    for n in range(300):
        desk.submit("login", {"password": f"hunter{n}"})

    class Killed(BaseException):
        pass

    batches = iter([None])

    def once(*args: object) -> int:
        if next(batches, Killed) is Killed:
            raise Killed
        return before(*args)  # type: ignore[arg-type]

    before = secrets.rewrite
    monkeypatch.setattr(secrets, "rewrite", once)
    with pytest.raises(Killed):
        rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
    monkeypatch.undo()
    between = rekeying.check(desk.ledger, desk.vault)
    assert len(between.keys) == 2 and between.lost == 0 and desk.vault.keys().rotating  # type: ignore[union-attr]
    done = rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
    after = rekeying.check(desk.ledger, desk.vault)
    assert dict(after.keys) == {done.key: 300} and after.lost == 0 and done.changed == 100
    desk.close()


def test_killed_at_any_moment_a_rotation_loses_nothing(home: Path) -> None:
    desk = Desk(home)
    for n in range(600):
        desk.submit("login", {"password": f"hunter{n}"})
    desk.close()
    words = [sys.executable, "-m", "jobdesk", "--home", str(home), "secrets", "rotate"]
    before = (home / "secret.key").stat().st_ino
    rotating = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    until(lambda: rotating.poll() is not None or (home / "secret.key").stat().st_ino != before)
    rotating.kill()  # as soon as the new key is there
    rotating.wait()
    found = said(home, "secrets", "check", "--json").json
    assert (found["ok"], found["secrets"]) == (True, 600)
    assert said(home, "secrets", "rotate").code == 0
    found = said(home, "secrets", "check", "--json").json
    assert found["ok"] and list(found["by_key"]) == [found["keys"][0]] and not found["rotating"]


def test_two_rotations_at_once_are_one(home: Path) -> None:
    desk = Desk(home)
    desk.submit("login", {"password": "hunter2"})
    with desk.vault.alone(wait=False), pytest.raises(Refused, match="under way"):
        rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
    desk.close()


def test_jobs_go_on_while_keys_change(home: Path) -> None:
    desk = Desk(home)
    working = consumer(home)
    try:
        ids = []
        for _ in range(3):
            ids += [desk.submit("login", {"password": f"hunter{n}"}).id for n in range(10)]
            rekeying.rotate(desk.ledger, desk.vault, desk.deed("rotate", target="secrets"))
        desk.wait(*ids, timeout="60s")
        assert {desk.job(id_).state.value for id_ in ids} == {"completed"}
        assert rekeying.check(desk.ledger, desk.vault).lost == 0
    finally:
        end(working)
        desk.close()


def test_a_lost_key_fails_the_jobs_that_need_it_with_one_sentence_and_no_others(home: Path) -> None:
    desk = Desk(home)
    lost = desk.submit("login", {"password": "hunter2"}).id
    (home / "secret.key").unlink()
    new, plain = desk.submit("login", {"password": "hunter3"}).id, desk.submit("other").id
    working = consumer(home)
    try:
        desk.wait(lost, new, plain, timeout="60s")
    finally:
        end(working)
    error = desk.job(lost).error
    assert error is not None and error.type == "SecretError" and not error.retryable and "secret.key" in error.message
    assert desk.job(lost).attempt == 1
    assert desk.job(new).state == desk.job(plain).state == "completed"
    desk.close()
    answer = said(home, "secrets", "check")
    assert answer.code == 1 and lost in answer.out and "3 secrets, 2 can be opened" in answer.out


def test_an_edit_and_a_retry_keep_what_is_encrypted(home: Path) -> None:
    desk = Desk(home)
    id_ = desk.submit("login", {"password": "hunter2", "name": "ada"}, retries=0).id
    desk.cancel(id_)
    seen = desk.job(id_).to_json()["data"]
    assert seen == {"password": "********", "name": "ada", "fail": False}
    token = desk.job(id_).data["password"]
    assert desk.retry(id_, seen | {"name": "eve"}).data == {"password": token, "name": "eve", "fail": False}
    desk.cancel(id_)
    changed = desk.retry(id_, seen | {"password": "hunter-new"}).data["password"]
    assert changed != token and desk.vault.open(changed) == '"hunter-new"'
    desk.close()


def test_a_secret_in_a_unique_or_concurrency_key_is_a_mark_of_it(home: Path) -> None:
    desk = Desk(home)
    first = desk.submit("login", {"password": "hunter2"}, unique="ada/hunter2", concurrency_key="hunter2")
    again = desk.submit("login", {"password": "hunter2"}, unique="ada/hunter2")
    assert again.existed and again.id == first.id
    assert first.unique is not None and first.unique.startswith("hmac:") and "hunter2" not in str(first.concurrency_key)
    assert desk.submit("login", {"password": "hunter2"}, unique="ada").unique == "ada"
    desk.close()
