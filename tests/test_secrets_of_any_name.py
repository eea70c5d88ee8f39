"""A secret is one by its declaration, whatever it is called and by whichever way it comes to the ledger."""

import json
import os
from itertools import count
from pathlib import Path

import pytest

from jobdesk import Desk
from tests.support.home import command, consumer, end, make_home, said, until

PIN = "4711-0815"
"""The beginning of all secrets here; nothing about it, or about the name `pin`, looks like one."""
_NUMBERS = count(1)
PROCESSORS = """
from pathlib import Path
from jobdesk import Context, Secret, processor

@processor("unlock")
def unlock(ctx: Context, pin: Secret[str], name: str = "", source: Path | None = None) -> dict:
    "Does not say it."
    return {"end": int(pin.reveal()[-1])}

@processor("parent", retries=0)
def parent(ctx: Context, how: str) -> None:
    "Makes up secrets that it never had from anybody."
    pin = "-".join(["4711", "0815", "1"])
    if how == "completes":
        ctx.submit("unlock", {"pin": pin + "1"}, unique=pin + "1", concurrency_key="k" + pin + "1")
        ctx.submit("unlock", {"pin": pin + "2"}, now=True)
    elif how == "fails":
        ctx.on_failure("unlock", {"pin": pin + "3"})
        raise ValueError("no")
    else:  # its child does not fit
        ctx.submit("unlock", {"pin": {"of no kind": pin + "4"}})
"""
SETTINGS = """
[[flows]]
name = "doors"
[[flows.steps]]
name = "open"
type = "unlock"
data = { pin = "{input.pin}", name = "{input.name}", source = "{input.source}" }
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path, PROCESSORS, SETTINGS)


def ends(desk: Desk, query: str = "") -> list[int]:
    """The last digits of the secrets that jobs have opened."""
    return sorted(job.result["end"] for job in desk.jobs(f"type:unlock state:completed {query}", limit=100).jobs)


def dropped(desk: Desk, folder: Path) -> int | None:
    """Drop one more file; the last digit of the secret that its job was given, None if it could not open it."""
    name = f"file{next(_NUMBERS)}"
    (folder / f"{name}.txt").write_text(name)
    query = f"type:unlock data.name:{name} state:completed,failed"
    until(lambda: desk.jobs(query).jobs)
    (job,) = desk.jobs(query).jobs
    return None if job.result is None else job.result["end"]


def assert_nowhere(home: Path) -> None:
    """Not in any file of the home (the processors are the test's own), and in nothing that commands say."""
    files = [Path(folder, name) for folder, _, names in os.walk(home) for name in names]
    kept = [path for path in files if path.is_file() and path.parent.name not in ("processors", "__pycache__")]
    assert [path for path in kept if PIN.encode() in path.read_bytes()] == []
    for words in (
        ["jobs", "list"], ["audit"], ["schedules", "list"], ["folders", "list"], ["events", "--limit", "500"], ["logs"],
        ["flows", "list"], ["folders", "files"],
    ):  # fmt: skip
        assert PIN not in said(home, *words, "--json").out, words


def test_a_job_may_give_its_children_secrets_that_nobody_knew(home: Path) -> None:
    desk = Desk(home)
    working = consumer(home)
    try:
        ids = [desk.submit("parent", {"how": how}).id for how in ("completes", "fails", "has a wrong child")]
        desk.wait(*ids, timeout="60s")
        assert [desk.job(id_).state for id_ in ids] == ["completed", "failed", "failed"]
        until(lambda: ends(desk) == [1, 2, 3])
    finally:
        end(working)
        desk.close()
    assert_nowhere(home)


def test_edits_retries_and_schedules_by_commands(home: Path) -> None:
    id_ = said(home, "submit", "unlock", f"pin={PIN}-1", "--delay", "1h").out.strip()
    json_ = json.dumps({"pin": f"{PIN}-3", "name": "front"})
    for words in (
        ["jobs", "edit", id_, f"pin={PIN}-2"], ["jobs", "edit", id_, f'pin:="{PIN}-2"'], ["jobs", "cancel", id_],
        ["jobs", "retry", id_, "--data", json_], ["jobs", "edit", id_, f"--data={json_}"],
        ["schedules", "add", "nightly", "--cron", "@yearly", "--type", "unlock", f"pin={PIN}-4"],
    ):  # fmt: skip
        assert said(home, *words).code == 0, words
    assert_nowhere(home)
    desk = Desk(home)
    working = consumer(home)
    try:
        desk.wait(id_, desk.trigger_schedule("nightly").id, timeout="60s")
        assert ends(desk) == [3, 4]
    finally:
        end(working)
        desk.close()
    assert_nowhere(home)


@pytest.mark.parametrize("pipeline", ["unlock", "doors"])
def test_what_a_drop_folder_gives_with_its_files(home: Path, tmp_path: Path, pipeline: str) -> None:
    drop = tmp_path / "drop"
    words = ["folders", "add", str(drop), "--pipeline", pipeline, "--settle", "50ms"]
    refused = said(home, *words, f"pin={PIN}-{{")
    assert refused.code == 2 and PIN not in refused.error
    added = said(home, *words, f"pin={PIN}-{{{{7", "name={stem}", "--json")  # doubled braces are one in the end
    assert added.code == 0 and added.json["data"] == {"pin": "********", "name": "{stem}"}
    assert_nowhere(home)
    desk = Desk(home)
    working = consumer(home)
    try:
        assert dropped(desk, drop) == 7
        assert said(home, "folders", "set", str(drop), f"pin={PIN}-8").code == 0
        until(lambda: dropped(desk, drop) == 8)  # who watches hears of it in a moment
        for _ in range(2):  # after the second nothing under the first key can be opened
            assert said(home, "secrets", "rotate").code == 0
        until(lambda: dropped(desk, drop) == 8)
        assert said(home, "secrets", "check").code == 0
    finally:
        end(working)
        desk.close()
    assert_nowhere(home)


def test_what_stands_in_the_settings_in_plain(tmp_path: Path) -> None:
    """It should not stand there, but be `${env:NAME}`; where it does, it goes no further."""

    def settings(digit: int) -> str:
        return (
            SETTINGS
            + f"""
[[flows.steps]]
name = "again"
type = "unlock"
data = {{ pin = "{PIN}-{digit}", name = "again" }}
[[schedules]]
name = "nightly"
type = "unlock"
cron = "@yearly"
data = {{ pin = "{PIN}-{digit}", name = "night" }}
[[folders]]
path = "drop"
pipeline = "doors"
data = {{ pin = "{PIN}-{digit}", name = "{{stem}}" }}
"""
        )

    home = make_home(tmp_path, PROCESSORS, settings(1))
    file = home / "jobdesk.toml"
    for digit in (1, 2):
        file.write_text(settings(digit).replace("night", f"night-{digit}"))
        assert command(home, "--consumer", "--drain").code == 0
    (change,) = said(home, "audit", "--action", "change", "--json").json
    assert "night-2" in json.dumps(change["after"])
    file.rename(tmp_path / "jobdesk.toml")
    assert_nowhere(home)
    (tmp_path / "jobdesk.toml").rename(file)
    for words in (["config", "show"], ["flows", "define"], ["flows", "define", "doors"], ["folders", "list"]):
        for json_ in ([], ["--json"]):
            answer = said(home, *words, *json_)
            assert answer.code == 0 and PIN not in answer.out, words
    assert '"{input.pin}"' in said(home, "config", "show", "--json").out
