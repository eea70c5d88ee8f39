"""Uploads into an S3-compatible storage: verified, committed as a whole, and gone again where they fail."""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdesk_processors import command, demo, images, remote, scan, stores, system, upload
from tests.support import pictures, s3
from tests.support.context import Bench, bench

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("moto", "obstore", "fsspec"))), reason="moto, obstore or fsspec is missing"
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with s3.server() as found:
        yield found


@pytest.fixture(params=["s3", "memory"])
def far(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("S3_SECRET", "also any")
    folder = tmp_path.name
    if request.param == "s3":
        wanted = s3.settings(request.getfixturevalue("address"), folder)
    else:
        wanted = {"url": f"memory://{folder}/desk"}
    modules = (upload, images, scan, system, command, demo, remote)
    return bench(tmp_path / "home", *modules, storage=wanted)


def objects(desk: Bench) -> dict[str, bytes]:
    place = stores.open_store(desk.settings["storage"])
    return {key: b"".join(place.read(key)) for key in place.keys("")}


def photo(tmp_path: Path) -> Path:
    path = tmp_path / "Lake.jpg"
    path.write_bytes(pictures.plain(size=(1200, 800)))
    return path


def test_an_upload_lies_in_the_storage_with_its_checksums(far: Bench, tmp_path: Path) -> None:
    source = photo(tmp_path)
    done = far.flow("IMAGE_UPLOAD_REQUESTED", {"source": source, "upload_id": "u1"})
    (record,) = done["DATABASE_UPDATE"].assets
    found = objects(far)
    url = far.settings["storage"]["url"]
    assert record["path"].startswith(url) and record["path"].endswith("/u1/original.jpg")
    told = {one["path"].removeprefix(url + "/"): one["sha256"] for one in record["renditions"]}
    told[record["path"].removeprefix(url + "/")] = record["sha256"]
    assert {key: hashlib.sha256(content).hexdigest() for key, content in found.items()} == told
    assert len(found) == 4 and found[record["path"].removeprefix(url + "/")] == source.read_bytes()
    assert not [one for one in (far.home / "library").rglob("*") if one.is_file()]


def test_storing_again_changes_nothing(far: Bench, tmp_path: Path) -> None:
    source = photo(tmp_path)
    once = far.run("IMAGE_UPLOAD_PROCESSING", {"source": source, "upload_id": "u2"}, job="job_1").result
    before = objects(far)
    assert far.run("IMAGE_UPLOAD_PROCESSING", {"source": source, "upload_id": "u2"}, job="job_1").result == once
    assert objects(far) == before and len(before) == 1


@pytest.mark.parametrize("step", ["put", "read", "copy"])
def test_what_fails_half_way_leaves_nothing(
    far: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The storage breaks at the second file: for whatever reason, nothing of the upload stays."""
    made = far.run("IMAGE_RESIZE", {"source": photo(tmp_path), "widths": [100, 50], "output": tmp_path / "made"}).result
    true: Callable[..., Any] = stores.open_store
    calls = []

    def breaking(settings: dict[str, Any]) -> Any:
        place = true(settings)
        works = getattr(place, step)

        def broken(*words: Any) -> Any:
            calls.append(words)
            if len(calls) == 2:
                raise ConnectionResetError("the line is gone")
            return works(*words)

        monkeypatch.setattr(place, step, broken)
        return place

    monkeypatch.setattr(stores, "open_store", breaking)
    data = {"source": photo(tmp_path), "upload_id": "u3", "renditions": made["renditions"]}
    assert far.run("IMAGE_UPLOAD_PROCESSING", data).error.retryable
    monkeypatch.setattr(stores, "open_store", true)
    assert objects(far) == {}
    assert far.run("IMAGE_UPLOAD_PROCESSING", data, attempt=2).result["upload_id"] == "u3"
    assert len(objects(far)) == 3


def test_what_came_back_different_is_not_committed(far: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "digest", lambda place, key: "0" * 64)
    error = far.run("IMAGE_UPLOAD_PROCESSING", {"source": photo(tmp_path), "upload_id": "u4"}).error
    assert error.retryable and "another checksum" in error.message
    assert objects(far) == {}


def test_a_failed_flow_takes_back_what_a_killed_attempt_left(far: Bench, tmp_path: Path) -> None:
    place = stores.open_store(far.settings["storage"])
    place.put(photo(tmp_path), ".uploading/u5/0")
    place.put(photo(tmp_path), ".uploading/other/0")
    failed = {"type": "IMAGE_UPLOAD_PROCESSING", "job": "job_x", "message": "no"}
    told = far.run("IMAGE_UPLOAD_FAILED", {"upload_id": "u5", "failed": failed})
    (back,) = (child for child in told.children if child["type"] == "STORAGE_ROLLBACK")
    assert far.run(back["type"], back["data"]).result == {"upload_id": "u5", "deleted": 1}
    assert list(objects(far)) == [".uploading/other/0"]


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(far: Bench, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(range(256)) * (12 * 4096))  # 12 MiB, parts of 5
    far.settings["storage"]["part_size"] = 5 * 1024 * 1024
    place = stores.open_store(far.settings["storage"])
    place.put(large, "a/large.bin")
    assert stores.digest(place, "a/large.bin") == hashlib.sha256(large.read_bytes()).hexdigest()
    place.delete(["a/large.bin", "a/never-was-there"])
    assert objects(far) == {}


def test_the_check_says_whether_the_storage_works(far: Bench) -> None:
    assert far.run("STORAGE_CHECK", {}).result["remote"] is True
    assert objects(far) == {}


def test_what_a_person_must_mend_is_said_at_once(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = dict(s3.settings(address))
    desk = bench(tmp_path / "home", remote, storage=wanted)
    monkeypatch.delenv("S3_SECRET", raising=False)
    error = desk.run("STORAGE_CHECK", {}).error
    assert (error.type, error.retryable) == ("ConfigError", False) and "S3_SECRET" in error.message
    monkeypatch.setenv("S3_SECRET", "x")
    desk.settings["storage"]["url"] = "s3://no-such-bucket/x"
    error = desk.run("STORAGE_CHECK", {}).error
    assert not error.retryable and "NoSuchBucket" in error.message
    desk.settings["storage"] |= {"url": "s3://photos", "options": {"no_such_option": "1"}}
    assert not desk.run("STORAGE_CHECK", {}).error.retryable
    desk.settings["storage"]["url"] = "nosuch://place"
    assert not desk.run("STORAGE_CHECK", {}).error.retryable


def test_a_storage_that_does_not_answer_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_SECRET", "x")
    wanted = dict(s3.settings("http://127.0.0.1:1")) | {"retries": 0, "timeout": 5.0}
    desk = bench(tmp_path / "home", remote, upload, storage=wanted)
    error = desk.run("STORAGE_CHECK", {}).error
    assert error.retryable


def test_passwords_in_an_address_are_not_told() -> None:
    assert stores.shown("sftp://ada:secret@host/x") == "sftp://host/x"
