"""Pictures from prompts: drawn offline, and made by a real server that speaks the images API."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobdesk import Desk, JobdeskError
from jobdesk.core.job import State
from jobdesk.core.outcome import Failed
from jobdesk_processors import generation, placeholder
from tests.support.context import Bench, Ran, bench
from tests.support.home import make_home
from tests.support.web import Answer, Asked, Server, server

SETTINGS = """
[providers.pictures]
url = "{url}/v1"
token = "${{env:PICTURES_TOKEN}}"
model = "dall-e-3"
quality = "hd"

[types.image-generation]
provider = "pictures"

[presets.mine]
width = 300
height = 200
"""
SIZES = {"instagram-post": (1080, 1080), "twitter-post": (1200, 675)}
PICTURE = placeholder.draw("as a model would")
JOB = "job_01K00000000000000000000000"
WANTED = {"prompt": "A beautiful sunset", "platforms": ["instagram-post", "twitter-post"]}


class Provider:
    """Answers generations with what stands in `refusals` first, then with pictures; serves these."""

    def __init__(self) -> None:
        self.refusals: list[Answer] = []
        self.lost: list[Answer] = []
        """Answers to who fetches a picture, before it gets one."""
        self.inline = False
        self.picture = PICTURE
        self.server: Server

    def answer(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return self.lost.pop(0) if self.lost else Answer(200, self.picture, {"Content-Type": "image/png"})
        if self.refusals:
            return self.refusals.pop(0)
        made = {"b64_json": base64.b64encode(self.picture).decode()} if self.inline else {"url": f"{self.server.url}/p"}
        return Answer(200, json.dumps({"data": [made | {"revised_prompt": "a sunset, revised"}]}).encode())

    @property
    def generations(self) -> list[Asked]:
        return [one for one in self.server.asked if one.method == "POST"]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("PICTURES_TOKEN", "t0p")
    made = Provider()
    with server(made.answer) as made.server:
        yield made


@pytest.fixture
def home(tmp_path: Path, provider: Provider) -> Bench:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jobdesk.toml").write_text(SETTINGS.format(url=provider.server.url))
    made = bench(tmp_path / "home", generation)
    made.settings["type"] = {"provider": "pictures"}
    return made


def generate(home: Bench, attempt: int = 1, **data: Any) -> Ran:
    return home.run("image-generation", {**WANTED, **data}, job=JOB, attempt=attempt)


def refusal(status: int, code: str, message: str = "sorry", **headers: str) -> Answer:
    return Answer(status, json.dumps({"error": {"message": message, "code": code, "type": "x"}}).encode(), headers)


def test_the_placeholder_draws_cuts_stores_and_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobdesk.runtime.context.PROGRESS_EVERY_S", 0.0)
    ran = generate(bench(tmp_path / "home", generation), provider="placeholder", generationId="gen_123", userId="u1")
    assert [int(said["progress"][0]) for said in ran.said if "progress" in said] == [10, 40, 50, 70, 90, 90, 95, 100]
    assert ran.result["generation_id"] == "gen_123" and ran.result["provider"] == "placeholder"
    for one in ran.result["images"]:
        with Image.open(one["path"]) as image:
            assert image.size == SIZES[one["platform"]] == (one["width"], one["height"])
    (asset,) = ran.assets
    assert (asset["id"], asset["user"], asset["name"]) == ("gen_123", "u1", "A beautiful sunset")
    assert asset["metadata"]["provider"] == "placeholder" and [one["name"] for one in asset["renditions"]] == [*SIZES]
    assert sorted(ran.artifacts) == sorted([asset["path"], *(one["path"] for one in asset["renditions"])])
    assert [child["type"] for child in ran.children] == ["CLEANUP_TEMP_FILES"]


def test_the_provider_gets_prompt_model_style_and_key_and_its_picture_is_fetched(
    home: Bench, provider: Provider
) -> None:
    ran = generate(home, imageType="natural")
    (asked,) = provider.generations
    assert asked.path == "/v1/images/generations" and asked.headers["authorization"] == "Bearer t0p"
    assert asked.headers["idempotency-key"] == JOB
    assert json.loads(asked.body) == {
        "prompt": "A beautiful sunset", "n": 1, "size": "1024x1024", "model": "dall-e-3", "quality": "hd",
        "style": "natural",
    }  # fmt: skip
    fetched = provider.server.asked[-1]
    assert fetched.method == "GET" and "authorization" not in fetched.headers
    assert Path(ran.result["original"]["path"]).read_bytes() == PICTURE
    assert ran.result["model"] == "dall-e-3" and ran.result["revised_prompt"] == "a sunset, revised"


def test_a_picture_may_come_in_the_answer(home: Bench, provider: Provider) -> None:
    provider.inline = True
    assert Path(generate(home).result["original"]["path"]).read_bytes() == PICTURE
    assert [one.method for one in provider.server.asked] == ["POST"]


@pytest.mark.parametrize(
    ("answer", "kind", "retryable", "delay_s"),
    [
        (refusal(400, "content_policy_violation"), "Moderation", False, None),
        (refusal(400, "moderation_blocked"), "Moderation", False, None),
        (refusal(429, "insufficient_quota"), "QuotaExceeded", False, None),
        (refusal(400, "billing_hard_limit_reached"), "QuotaExceeded", False, None),
        (refusal(401, "invalid_api_key"), "Unauthorized", False, None),
        (refusal(400, "invalid_size"), "HttpStatus", False, None),
        (refusal(429, "rate_limit_exceeded", **{"Retry-After": "17"}), "HttpStatus", True, 17.0),
        (refusal(500, "server_error"), "HttpStatus", True, None),
        (Answer(502, b"<html>Bad gateway</html>"), "HttpStatus", True, None),
        (Answer(drop=True), "ConnectionError", True, None),
        (Answer(200, b'{"data": []}'), "BadAnswer", False, None),
    ],
)
def test_refusals_are_told_apart(
    home: Bench, provider: Provider, answer: Answer, kind: str, retryable: bool, delay_s: float | None
) -> None:
    provider.refusals = [answer]
    outcome = generate(home).outcome
    assert isinstance(outcome, Failed)
    assert (outcome.error.type, outcome.error.retryable, outcome.delay_s) == (kind, retryable, delay_s)
    assert "t0p" not in outcome.error.message
    assert generate(home, attempt=2).result["images"]  # and then it works


def test_no_attempt_has_a_picture_made_again_unless_it_is_gone(home: Bench, provider: Provider) -> None:
    provider.lost = [Answer(500), Answer(drop=True), Answer(404)]
    assert [generate(home, attempt).error.type for attempt in (1, 2)] == ["HttpStatus", "ConnectionError"]
    assert len(provider.generations) == 1
    assert generate(home, 3).error.retryable  # the picture is gone
    assert generate(home, 4).result["images"] and len(provider.generations) == 2
    assert generate(home, 5).result["images"] and len(provider.generations) == 2
    assert {one.headers["idempotency-key"] for one in provider.generations} == {JOB}
    assert generate(home, 6, prompt="Another").result["images"] and len(provider.generations) == 3


def test_what_is_no_picture_is_refused_and_not_kept(home: Bench, provider: Provider) -> None:
    provider.picture = b"<html>this is no picture</html>"
    assert not generate(home).error.retryable
    provider.picture = PICTURE
    assert generate(home, attempt=2).result["images"]


def test_without_settings_it_says_what_to_configure(tmp_path: Path) -> None:
    bare = bench(tmp_path / "bare", generation)
    asked: list[tuple[dict[str, Any], str]] = [
        ({}, "[providers.openai]"),
        ({"provider": "pictures"}, "give [providers.pictures] url"),
    ]
    for data, says in asked:
        error = generate(bare, **data).error
        assert (error.type, error.retryable) == ("NotConfigured", False) and says in error.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"prompt": "   "}, "a prompt must say something"),
        ({"prompt": "x" * 4001}, "'prompt'"),
        ({"prompt": "bell\x07"}, "control characters"),
        ({"platforms": []}, "'platforms'"),
        ({"platforms": ["instagram-pst"]}, "it should be a platform like 'instagram-post', not 'instagram-pst'"),
        ({"imageType": "wild"}, "imageType"),
        ({"generationId": "../x"}, "generationId"),
    ],
)
def test_prompt_and_platforms_are_checked_at_submission(tmp_path: Path, data: dict[str, Any], says: str) -> None:
    desk = Desk(make_home(tmp_path))
    try:
        with pytest.raises(JobdeskError) as refused:
            desk.submit("image-generation", {**WANTED, **data})
        assert says in str(refused.value)
        assert not desk.jobs("").jobs
    finally:
        desk.close()


def test_a_platform_that_the_settings_have_no_more_ends_the_job(home: Bench) -> None:
    home.settings["presets"].pop("twitter-post")
    error = generate(home).error
    assert "[presets] has no 'twitter-post' any more" in error.message
    assert (error.type, error.retryable) == ("unknown-preset", False)


def test_a_consumer_tries_again_and_has_each_picture_made_once(tmp_path: Path, provider: Provider) -> None:
    provider.refusals = [refusal(500, "server_error"), refusal(429, "rate_limit_exceeded", **{"Retry-After": "0"})]
    home = make_home(tmp_path, "", SETTINGS.format(url=provider.server.url))
    with Desk(home) as desk:
        job = desk.submit("image-generation", WANTED, retry_delay="10ms")
        done = desk.wait(job.id, timeout=60)
        assert (done.state, done.attempt) == (State.COMPLETED, 3)
        flow = done.flow
        assert flow is not None and desk.wait_flow(flow, timeout=60).state.value == "completed"
        assert not list((home / "library" / ".staging").iterdir())
        batch = desk.submit("image-generation-batch", {"prompts": ["one", "two", "three"], "platforms": ["mine"]})
        made = desk.wait(batch.id, timeout=60).result
        assert made["count"] == 3
        desk.wait(*made["jobs"], timeout=120)
        assert {desk.job(id_).state for id_ in made["jobs"]} == {State.COMPLETED}
        assert {desk.job(id_).result["images"][0]["width"] for id_ in made["jobs"]} == {300}
        assert {desk.job(id_).data["prompt"] for id_ in made["jobs"]} == {"one", "two", "three"}
        refused = [refusal(400, "content_policy_violation", "no such pictures")]
        provider.refusals = refused
        lost = desk.wait(desk.submit("image-generation", WANTED).id, timeout=60)
        assert lost.state is State.FAILED and lost.attempt == 1 and lost.error is not None
        assert lost.error.type == "Moderation"
