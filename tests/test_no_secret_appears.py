"""Seeded secrets are looked for, byte by byte, in everything that a desk keeps and says."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from jobdesk.core.redaction import everywhere
from jobdesk.desk import Desk
from tests.support.clock import FakeClock
from tests.support.home import consumer, end, make_home, said, until
from tests.support.robot import opened

ENVIRONMENT, PAYLOAD, PRINTED, RAISED, ADDRESS, FLOW, MADE, NIGHTLY = SECRETS = (
    "Env1ronment-xq7", "Payl0ad-secret-kv3", "pr1nted-vv-81", "ra1sed-uu-92", "addr3ss-pp-17", "fl0w-input-rr-5",
    "m4de-by-the-job-8", "n1ghtly-schedule-3",
)  # fmt: skip

PROCESSORS = f"""
import os, subprocess, sys, time
from pathlib import Path
from jobdesk import Context, Secret, processor

@processor("dropped")
def dropped(ctx: Context, source: Path, password: Secret[str]) -> str:
    "Takes a file."
    return "with " + password.reveal()

@processor("login", retries=1, retry_delay="10ms")
def login(
    ctx: Context, password: Secret[str], gate: str = "", how: str = "say", more: Secret[dict] | None = None,
) -> dict:
    "Log in, and be careless."
    word = password.reveal()
    (ctx.workdir / "state").write_text("logged in")
    print("the password is", word, "and by shape password={PRINTED}", flush=True)
    print("postgresql://ada:{ADDRESS}@host/db")
    subprocess.run(["sh", "-c", "cat; env"], input=word.encode())
    ctx.log.info(f"{{word!r}} {{more and more.reveal()}} {{ctx.settings['type']}}")
    ctx.log.warning("Authorization: Bearer {PRINTED}")
    ctx.progress(1, 2, f"with {{word}}")
    for _ in range(6000):
        if not gate or Path(gate).exists():
            break
        time.sleep(0.01)
    if how == "raise":
        local = {{"password": word, "token": "{RAISED}"}}
        raise OSError(f"refused: {{local}} at https://ada:{ADDRESS}@host/ with token={RAISED}")
    if how == "call":
        bank = ctx.service("bank")
        with bank.call() as call:
            call.failed(f"{{word}} with {{bank.headers['Authorization']}}")
    if how == "child":
        ctx.submit("login", {{"password": password}}, now=True)
        ctx.submit("login", {{"password": word, "more": {{"deep": [word]}}}})
    return {{"echo": f"it was {{word}}", "token": Secret("{MADE}"), "n": 1}}
"""
SETTINGS = """
[desk]
workers = 2
[services.bank]
url = "http://127.0.0.1:9"
token = "${env:SEEDED_ACCOUNT}"
breaker = { failures = 1, minimum_calls = 1, open_for = "1h" }
[alerts]
look = "1s"
[types.login]
account = "${env:SEEDED_ACCOUNT}"
[[folders]]
path = "drop"
pipeline = "dropped"
settle = "50ms"
data = { password = "${env:SEEDED_ACCOUNT}" }
[[flows]]
name = "both"
[[flows.steps]]
name = "one"
type = "login"
data = { password = "Bearer {input.word}", more = { account = "${env:SEEDED_ACCOUNT}" } }
[[flows.steps]]
name = "two"
type = "login"
after = ["one"]
data = { password = "{steps.one.result.token}" }
concurrency_key = "{input.word}"
[[schedules]]
name = "settled"
type = "login"
cron = "@yearly"
data = { password = "${env:SEEDED_ACCOUNT}" }
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SEEDED_ACCOUNT", ENVIRONMENT)
    made = make_home(tmp_path, PROCESSORS, SETTINGS)
    yield made
    everywhere._values, everywhere._pattern = {}, None


def leaks(blob: bytes | str) -> list[str]:
    data = blob.encode("utf-8", "surrogateescape") if isinstance(blob, str) else blob
    return [secret for secret in SECRETS if secret.encode() in data]


def leaks_below(home: Path) -> list[tuple[str, list[str]]]:
    """What is found in any file of the home but the test's own processors and named pipes."""
    found = []
    for folder, _, names in os.walk(home):  # which, unlike rglob, bears that working folders go meanwhile
        for path in (Path(folder, name) for name in names):
            if path.parent.name not in ("processors", "__pycache__") and path.is_file():
                with suppress(FileNotFoundError):
                    found.append((str(path.relative_to(home)), leaks(path.read_bytes())))
    return [(path, leaked) for path, leaked in found if leaked]


def work(home: Path, tmp_path: Path) -> Sequence[str]:
    """Run jobs of every careless kind through a consumer; looks around while one of them is at it."""
    desk, gate = Desk(home), tmp_path / "gate"
    (home / "drop").mkdir()
    (home / "drop" / "file.txt").write_text("a file")
    waits = desk.submit("login", {"password": PAYLOAD, "gate": str(gate)}, unique=f"ada/{PAYLOAD}").id
    ids = [desk.submit("login", {"password": PAYLOAD, "how": how}).id for how in ("raise", "child", "call")]
    ids.append(desk.submit("login", {"password": PAYLOAD, "more": {"deep": [PAYLOAD]}}, concurrency_key=PAYLOAD).id)
    flow = desk.start_flow("both", {"word": FLOW}).id
    desk.add_schedule("added", "login", cron="@yearly", data={"password": NIGHTLY})
    working = consumer(home)
    try:
        ids += [desk.trigger_schedule(name).id for name in ("settled", "added")]
        until(lambda: "logged in" in "".join(one.read_text() for one in home.glob("run/work/*/state")))
        until(lambda: any(event.data.get("level") == "warning" for event in desk.logs(waits)))
        assert leaks_below(home) == []  # also -wal, -shm and the working folders
        children = psutil.Process(working.pid).children(recursive=True)
        lines = []
        for one in children:
            with suppress(FileNotFoundError):
                lines.append(Path(f"/proc/{one.pid}/cmdline").read_bytes())
        assert lines and leaks(b"\n".join(lines)) == []
        gate.touch()
        desk.wait(waits, *ids, timeout="60s")
        assert desk.wait_flow(flow, "60s").state == "completed"
        until(lambda: desk.jobs("type:dropped state:completed").jobs)
        until(lambda: any(alert.rule == "service-down" for alert in desk.alerts()))
    finally:
        end(working)
        desk.close()
    return [waits, *ids]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at processes through /proc")  # noqa: PTH112
def test_no_secret_appears_anywhere(home: Path, tmp_path: Path) -> None:
    ids = work(home, tmp_path)
    commands: list[tuple[str, ...]] = [
        ("jobs", "list"), ("queues", "list"), ("dead", "list"), ("dead", "groups"), ("events", "--limit", "1000"),
        ("flows", "list"), ("flows", "define"), ("schedules", "list"), ("schedules", "next", "added"), ("logs",),
        ("config", "show"), ("config", "check"), ("processors", "list"), ("processors", "show", "login"), ("metrics",),
        ("health",), ("doctor",), ("secrets", "check"), ("assets", "list"), ("folders", "list"),
        ("submit", "login", f"password:=[\"{PAYLOAD}\"]"), ("submit", "login", "password=x", f"more={PAYLOAD}"),
        ("jobs", "list", f"text:{PAYLOAD.split('-', maxsplit=1)[0]}"), ("backup", str(tmp_path / "copy.db")),
        ("health", "--detailed"), ("alerts", "list"), ("services", "show", "bank"),
    ]  # fmt: skip
    commands += [("jobs", word, id_) for id_ in ids for word in ("show", "logs", "history", "why")]
    commands += [("flows", "show", row["id"]) for row in said(home, "flows", "list", "--json").json]
    for words in commands:
        for json in ((), ("--json",)):
            answer = said(home, *words, *json)
            assert (words, leaks(answer.out + answer.error)) == (words, [])
    assert leaks_below(home) == []
    assert leaks((tmp_path / "copy.db").read_bytes()) == []
    assert said(home, "secrets", "rotate").code == 0
    with closing(sqlite3.connect(home / "jobdesk.db")) as database:
        database.execute("VACUUM")
    assert leaks_below(home) == []
    shown = said(home, "jobs", "show", ids[0], "--json").json
    assert shown["data"]["password"] == "********" and shown["result"]["echo"] == "it was ********"
    assert said(home, "jobs", "list", f"text:{PAYLOAD.split('-', maxsplit=1)[0]}", "--json").json == []


async def test_the_screens_show_none(home: Path, clock: FakeClock) -> None:
    desk = Desk(home, clock=clock)
    desk.submit("login", {"password": PAYLOAD, "more": {"deep": PAYLOAD}})
    desk.start_flow("both", {"word": FLOW})
    async with opened(desk, (120, 40)) as robot:
        await robot.jobs()
        await robot.press("enter")
        seen = [robot.screen]
        while "********" not in robot.screen and len(seen) < 300:
            await robot.press("right")
            seen.append(robot.screen)
        assert "********" in seen[-1]
        assert leaks("".join([*seen, robot.app.export_screenshot()])) == []
    desk.close()
