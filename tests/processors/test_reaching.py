"""Where jobs may fetch from: decided by the address that is connected to, at the end of every redirect and name."""

import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from jobdesk import Reject
from jobdesk.config import load
from jobdesk.core.errors import ConfigError
from jobdesk_processors import http_request, reaching, video_jobs, webhook
from jobdesk_processors.reaching import Gate
from tests.support.context import Bench, Ran, bench
from tests.support.files import file_server
from tests.support.web import Answer, Asked
from tests.support.web import server as serving


@pytest.fixture
def desk(tmp_path: Path) -> Bench:
    return bench(tmp_path, http_request, webhook, video_jobs)


def allow(desk: Bench, private: str = "local", *hosts: str) -> None:
    desk.settings["fetching"] = {"private": private, "hosts": list(hosts)}


def get(desk: Bench, url: str, source: str | None = "http") -> Ran:
    return desk.run("http_request", {"url": url}, source=source)


def refused(ran: Ran) -> str:
    error = ran.error
    assert (error.type, error.retryable) == ("PrivateAddress", False)
    return str(error.message)


def test_a_job_of_the_http_api_does_not_reach_this_machine_and_one_submitted_here_does(desk: Bench) -> None:
    with serving(lambda asked: Answer(200, b"inside")) as server:
        said = refused(get(desk, f"{server.url}/secret"))
        assert "127.0.0.1 is an address of this machine" in said and "hosts of [fetching]" in said
        assert not server.asked
        assert get(desk, server.url, source="command").result["body"] == "inside"
        for private, hosts in (("always", ()), ("never", ("127.0.0.0/8",)), ("local", ("127.0.0.1",))):
            allow(desk, private, *hosts)
            assert get(desk, server.url).result["body"] == "inside"
        allow(desk, "never")
        refused(get(desk, server.url, source="command"))


def test_a_name_and_a_redirect_are_followed_to_their_address(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: Answer(200, b"inside")) as inner:
        port = inner.url.rpartition(":")[2]
        assert "localhost" in refused(get(desk, f"http://localhost:{port}/"))
        monkeypatch.setattr(socket, "getaddrinfo", _lying(socket.getaddrinfo))
        assert "innocent.example (127.0.0.1)" in refused(get(desk, f"http://innocent.example:{port}/"))
        with serving(lambda asked: Answer(302, headers={"Location": f"http://127.0.0.2:{port}/"})) as outer:
            allow(desk, "local", "127.0.0.1")
            assert "127.0.0.2" in refused(get(desk, outer.url))
            assert len(outer.asked) == 1
        assert not inner.asked


def _lying(real: Callable[..., object]) -> Callable[..., object]:
    def look_up(host: object, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "innocent.example" else host, *rest, **more)

    return look_up


def test_downloads_and_webhooks_keep_to_it_too(desk: Bench) -> None:
    with file_server(b"video") as server:
        ran = desk.run("download-video", {"videoId": "v", "url": f"{server.url}/v.mp4"}, source="http")
        refused(ran)
        refused(desk.run("webhook", {"event": "e", "url": server.url}, source="http"))
        assert not server.asked


def test_a_service_of_the_settings_is_reached_wherever_it_is_and_its_redirects_are_not(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        there = server.url.replace("127.0.0.1", "127.0.0.3")
        return Answer(302, headers={"Location": there}) if asked.path.endswith("away") else Answer(200, b"ok")

    with serving(answer) as server:
        (tmp_path / "jobdesk.toml").write_text(f'[services.inner]\nurl = "{server.url}"\n')
        desk = bench(tmp_path, http_request)
        assert desk.run("http_request", {"service": "inner", "path": "/here"}, source="http").result["body"] == "ok"
        refused(desk.run("http_request", {"service": "inner", "path": "/away"}, source="http"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_no_writing_of_a_private_address_gets_through(address: str) -> None:
    with pytest.raises(Reject, match="may fetch nothing"):
        Gate([], private=False)._check(address, address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_addresses_of_the_world_do(address: str) -> None:
    Gate([], private=False)._check(address, address)


def test_metadata_of_clouds_is_reached_by_nobody_who_is_not_let() -> None:
    with pytest.raises(Reject, match="a link-local address"):
        Gate([], private=True)._check("169.254.169.254", "169.254.169.254")
    Gate(["169.254.169.254"], private=False)._check("169.254.169.254", "169.254.169.254")


def test_names_that_are_odd_ways_to_write_an_address_are_looked_up_too() -> None:
    for host in ("2130706433", "0x7f.1", "127.1", "localhost."):
        with pytest.raises((Reject, OSError)):
            Gate([], private=False).addresses(host, 80)


def test_behind_a_proxy_the_name_is_checked_before_it_is_told(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: Answer(200, b"by proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NO_PROXY", "")
        refused(get(desk, "http://127.0.0.1:9/x"))
        assert not proxy.asked
        assert get(desk, "http://only-the-proxy-knows.example/x").result["body"] == "by proxy"
        assert proxy.asked[0].path == "http://only-the-proxy-knows.example/x"


def test_a_wrong_host_in_the_settings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobdesk.toml").write_text('[fetching]\nhosts = ["http://x"]\n')
    with pytest.raises(ConfigError, match="is no host"):
        load(tmp_path, {})


def test_the_client_is_httpx_as_we_know_it() -> None:
    """It has no door for what looks names up: we put ours where it keeps its own."""
    assert isinstance(reaching._Transport(Gate([], private=False))._direct._pool._network_backend, reaching._Backend)
    assert httpx.HTTPTransport()._pool._network_backend is not None
