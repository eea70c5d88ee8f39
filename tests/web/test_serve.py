"""`jobdesk serve` as a process: how it begins, what it says, how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobdesk.cli import serve as command
from jobdesk.core.errors import UsageError
from tests.support.home import DEADLINE_S, end, make_home, said, until
from tests.web.conftest import PROCESSORS
from tests.web.test_streams import messages


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any], httpx.Client]]:
    """The process, what it said, and a client with its token."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "serve", "--port", "0", "--json", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told = json.loads(line)
        token = Path(told["token_file"]).read_text().strip() if told["token_file"] else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=told["url"], headers=headers, timeout=60, trust_env=False) as client:
            yield process, told, client
    finally:
        end(process)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_with_a_stream_open(tmp_path: Path, how: signal.Signals) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with serving(home) as (process, told, client):
        assert told["url"].startswith("http://127.0.0.1:") and told["consumer"] is False
        assert told["token_file"] == str(home / "http.token")
        made = client.post("/jobs", json={"type": "greet", "data": {"name": "a"}}).json()["data"]
        with client.stream("GET", f"/jobs/{made['jobId']}/stream") as answer:
            found = messages(answer)
            assert [next(found)["type"] for _ in range(2)] == ["connected", "update"]
            process.send_signal(how)
            assert list(found) == []
        assert process.wait(DEADLINE_S) == 0
    assert said(home, "jobs", "show", made["jobId"], "--json").json["state"] == "pending", "it only looks and submits"


def test_with_consumer_it_runs_the_jobs_too(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with serving(home, "--consumer", "--no-token") as (process, told, client):
        assert told["consumer"] is True and told["token_file"] is None
        until(lambda: client.get("/api/v1/health/jobs").json()["data"]["consumers"] == 1)
        id_ = client.post("/jobs", json={"type": "greet", "data": {"name": "a"}}).json()["data"]["jobId"]
        with client.stream("GET", f"/jobs/{id_}/stream") as answer:
            *_, last = messages(answer)
        assert last["result"] == {"greeted": "a"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    assert not (home / "http.token").exists()


def test_jobs_of_other_processes_are_told_as_they_go(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with serving(home) as (_, _, client), client.stream("GET", "/events/stream") as answer:
        told = messages(answer)
        assert next(told)["type"] == "connected"
        id_ = said(home, "submit", "greet", "name=a", "--delay", "1h").out.strip()
        assert next(told)["data"]["jobId"] == id_
        said(home, "jobs", "cancel", id_)
        assert next(told)["data"]["status"] == "cancelled"


def test_new_processors_are_known_without_a_restart(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS)
    with serving(home) as (_, _, client):
        assert client.post("/jobs", json={"type": "wave"}).status_code == 400
        (home / "processors" / "more.py").write_text(
            'from jobdesk import Context, processor\n\n@processor("wave")\ndef wave(ctx: Context) -> None:\n    ...\n'
        )
        assert client.post("/jobs", json={"type": "wave"}).status_code == 201


def test_what_it_refuses_to_do(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for words, says in (
        (("--no-token", "--host", "0.0.0.0"), "only this machine"),
        (("--read-only",), "none is made"),
        (("--read-only", "--consumer"), "leave one of them out"),
        (("--port", "70000"), "cannot be used"),
    ):
        answer = said(home, "serve", *words)
        assert answer.code in (2, 5) and says in answer.error, words
    assert not list(home.glob("http.token.*"))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "jobdesk\[http\]"'):
        command._check_extra()


def test_help_loads_no_server() -> None:
    code = (
        "import sys\nfrom jobdesk.cli.main import main\n"
        "for words in (['--help'], ['serve', '--help']):\n    main(words)\nprint(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"starlette", "uvicorn", "pydantic", "jobdesk.web"} & set(loaded)
