"""WebSockets: the same as the streams tell, and the same door."""

from typing import Any

import aiohttp
import pytest

from tests.support.home import until
from tests.web.conftest import Serve, Served

PATIENCE_S = 60


def token(served: Served) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.token}"}


async def said(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    return dict(await socket.receive_json(timeout=PATIENCE_S))


async def test_a_job_is_told_from_its_update_to_its_end(serve: Serve) -> None:
    served = serve(consumer=True)
    id_ = served.desk.submit("greet", {"name": "Ada"}, delay="500ms").id
    async with (
        aiohttp.ClientSession(headers=token(served)) as client,
        client.ws_connect(f"{served.server.url}/jobs/{id_}/stream") as socket,
    ):
        assert (await said(socket))["type"] == "connected"
        types = [(one := await said(socket))["type"]]
        while types[-1] not in ("final", "error"):
            types.append((one := await said(socket))["type"])
        assert (types[-1], one["status"], one["jobId"]) == ("final", "completed", id_)
        assert (await socket.receive(timeout=PATIENCE_S)).type is aiohttp.WSMsgType.CLOSE
    until(lambda: served.server.streams == 0)


async def test_all_changes_are_told_and_what_a_client_says_is_not_heard(serve: Serve) -> None:
    served = serve(consumer=True)
    async with (
        aiohttp.ClientSession(headers=token(served)) as client,
        client.ws_connect(f"{served.server.url}/api/v1/events/stream") as socket,
    ):
        assert (await said(socket))["type"] == "connected"
        for words in ("", "[", '{"type": "subscribe"}'):
            await socket.send_str(words)
        id_ = served.desk.submit("greet", {"name": "Ada"}).id
        found = await said(socket)
        seen = found["id"]
        while found["data"]["status"] != "completed":
            found = await said(socket)
        assert (found["type"], found["data"]["jobId"]) == ("job_update", id_) and found["id"] > seen
        async with client.ws_connect(f"{served.server.url}/events/stream?after={seen}") as again:
            assert (await said(again))["type"] == "connected"
            assert (await said(again))["id"] > seen, "it goes on where it was cut off"
    until(lambda: served.server.streams == 0)


async def test_a_browser_offers_the_token_as_a_protocol(served: Served) -> None:
    own = {"Origin": served.server.url}
    async with (
        aiohttp.ClientSession(headers=own) as client,
        client.ws_connect(f"{served.server.url}/events/stream", protocols=["jobdesk", str(served.token)]) as socket,
    ):
        assert socket.protocol == "jobdesk" and (await said(socket))["type"] == "connected"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/events/stream", {"Authorization": "Bearer wrong"}, 401),
        ("/events/stream", {"Origin": "http://elsewhere.example"}, 403),
        ("/events/stream", {"Host": "elsewhere.example"}, 403),
        ("/events/stream", {"x-user-id": "ada", "x-user-role": "user"}, 403),
        ("/events/stream?after=x", {}, 400),
        ("/jobs/job_none/stream", {}, 404),
        ("/jobs", {}, 403),
    ],
)
async def test_the_door_is_the_same(served: Served, path: str, headers: dict[str, str], status: int) -> None:
    async with aiohttp.ClientSession(headers=token(served)) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(served.server.url + path, headers=headers)
        assert refused.value.status == status


async def test_there_are_no_more_than_may_be_and_a_stop_ends_them(serve: Serve) -> None:
    served = serve("[http]\nstreams = 1\n")
    async with (
        aiohttp.ClientSession(headers=token(served)) as client,
        client.ws_connect(f"{served.server.url}/events/stream") as socket,
    ):
        assert (await said(socket))["type"] == "connected"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"{served.server.url}/events/stream")
        assert refused.value.status == 503
        served.server.stop()
        ended = await socket.receive(timeout=PATIENCE_S)
        assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
