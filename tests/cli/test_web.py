"""`jobdesk web`: the app in a browser, behind a key; each tab is a process that ends with it."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSMsgType

from jobdesk.runtime.processes import start_of
from tests.support.home import command, end, make_home

PATIENCE_S = 120.0


@contextlib.contextmanager
def served(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server, and its address with the key."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobdesk", "--home", str(home), "web", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["url"]
    finally:
        end(process)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def browser() -> ClientSession:
    return ClientSession(cookie_jar=CookieJar(unsafe=True))


async def sees(tab: ClientWebSocketResponse, *words: bytes) -> None:
    """Read what a tab is sent until all of these were in it."""
    seen = b""
    while not all(word in seen for word in words):
        message = await asyncio.wait_for(tab.receive(), PATIENCE_S)
        assert message.type is WSMsgType.BINARY, f"the tab was closed before: …{seen[-500:]!r}"
        seen += message.data


async def closed(tab: ClientWebSocketResponse) -> None:
    while (await asyncio.wait_for(tab.receive(), PATIENCE_S)).type is WSMsgType.BINARY:
        pass


def children(of: int) -> set[int]:
    import psutil

    return {child.pid for child in psutil.Process(of).children()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path)


async def test_only_who_has_the_key_comes_in_and_only_from_its_own_page(home: Path) -> None:
    with served(home) as (_, url):
        base = url.partition("/?")[0]
        assert base.startswith("http://127.0.0.1:")
        async with browser() as visitor:
            for path in ("/", "/?key=guessed", "/ws", "/static/js/textual.js"):
                async with visitor.get(base + path) as answer:
                    assert answer.status == 403, path
                    assert "jobdesk web" in await answer.text()
            async with visitor.get(url) as answer:
                assert (answer.status, str(answer.url)) == (200, f"{base}/")
                page = await answer.text()
            assert "//" not in page.replace('"wss://"', "").replace('"ws://"', ""), "it fetches nothing from elsewhere"
            async with visitor.get(f"{base}/static/js/textual.js") as answer:
                assert answer.status == 200
            async with visitor.get(f"{base}/ws", headers={"Origin": "http://elsewhere.example"}) as answer:
                assert answer.status == 403


async def test_each_tab_is_an_app_of_the_home_that_ends_with_it_and_with_the_server(home: Path) -> None:
    with served(home) as (server, url):
        base = url.partition("/?")[0]
        async with browser() as visitor:
            await (await visitor.get(url)).release()
            async with visitor.ws_connect(f"{base}/ws?width=100&height=30", headers={"Origin": base}) as first:
                await sees(first, b"no consumer", b"quit")
                async with visitor.ws_connect(f"{base}/ws?width=120&height=40") as second:
                    await sees(second, b"no consumer", b"quit")
                    apps = children(server.pid)
                    assert len(apps) == 2
                    await second.send_json(["stdin", "q"])
                    await closed(second)
                await first.send_json(["stdin", "2"])
                await sees(first, b"Jobs")
                server.send_signal(signal.SIGINT)
                await closed(first)
        assert server.wait(PATIENCE_S) == 0
        assert not {pid for pid in apps if start_of(pid) is not None}


async def test_nonsense_on_the_socket_is_passed_over(home: Path) -> None:
    with served(home) as (server, url):
        async with browser() as visitor:
            await (await visitor.get(url)).release()
            async with visitor.ws_connect(f"{url.partition('/?')[0]}/ws?width=100&height=30") as tab:
                await sees(tab, b"no consumer")
                for words in ("", "nonsense", "[", "[]", "{}", "7", '["stdin", "x", "y"]', "[" * 100_000,
                              '[{"a": 1}]', '["resize", 7]', '["resize", {"width": [], "height": "x"}]',
                              '["stdin", "\\ud800"]'):  # fmt: skip
                    await tab.send_str(words)
                await tab.send_bytes(b"\0")
                await tab.send_json(["stdin", "2"])
                await sees(tab, b"Jobs")
                server.send_signal(signal.SIGINT)
                await closed(tab)
        assert server.wait(PATIENCE_S) == 0
        assert server.stderr is not None and "Traceback" not in server.stderr.read()


async def test_read_only_is_passed_on(home: Path) -> None:
    command(home, "queues", "list")  # makes the home
    with served(home, "--read-only") as (_, url):
        async with browser() as visitor:
            await (await visitor.get(url)).release()
            async with visitor.ws_connect(f"{url.partition('/?')[0]}/ws?width=120&height=40") as tab:
                await sees(tab, b"read-only")


def test_a_port_that_is_taken_and_a_missing_extra_are_told_in_a_sentence(home: Path) -> None:
    with served(home) as (_, url):
        port = url.partition("/?")[0].rpartition(":")[2]
        answer = command(home, "web", "--port", port)
        assert (answer.code, answer.out) == (2, "")
        assert f"cannot listen on 127.0.0.1 port {port}" in answer.error
    code = "import sys; sys.modules['textual_serve'] = None; from jobdesk.cli.main import main; sys.exit(main())"
    missing = subprocess.run(
        [sys.executable, "-c", code, "--home", str(home), "web"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert missing.stderr == 'jobdesk: the app in a browser needs textual-serve: pip install "jobdesk[web]"\n'


def test_it_warns_of_an_address_that_others_reach(home: Path) -> None:
    with served(home, "--host", "0.0.0.0") as (server, _):  # with --json the address alone: the warning is on stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_S) == 0
        assert server.stderr is not None
        assert "nothing is encrypted" in server.stderr.read()
