"""An infected picture that is dropped: the scan of its upload moves a copy away, and that is the only one."""

import json
import stat
from pathlib import Path

import pytest

from jobdesk import Desk
from jobdesk.folders.ending import Ender
from jobdesk.ledger import folders
from tests.folders.conftest import Desk as Inbox
from tests.support import clamd as scanners
from tests.support import pictures
from tests.support.home import consumer, make_home

INFECTED = pictures.plain() + scanners.MARK
SETTINGS = """
[desk]
workers = 1
[scanner]
address = "{address}"
[[folders]]
path = "inbox"
pipeline = "{pipeline}"
settle = "100ms"
source = "{source}"
data = {data}
"""


@pytest.mark.parametrize(
    ("pipeline", "source", "data"),
    [
        ("IMAGE_UPLOAD_REQUESTED", "archive", "{}"),
        ("IMAGE_UPLOAD_REQUESTED", "delete", "{}"),
        ("VIRUS_SCAN", "archive", "{ quarantine = true }"),
        ("VIRUS_SCAN", "archive", "{}"),
    ],
)
def test_an_infected_drop_lies_in_the_quarantine_once_with_its_reason(
    tmp_path: Path, pipeline: str, source: str, data: str
) -> None:
    with scanners.served() as address:
        home = make_home(
            tmp_path, settings=SETTINGS.format(address=address, pipeline=pipeline, source=source, data=data)
        )
        desk = Desk(home)
        (desk.home.inbox / "gift.jpg").write_bytes(INFECTED)
        (desk.home.inbox / "good.jpg").write_bytes(pictures.plain())
        worker = consumer(home, "--drain")
        _, said = worker.communicate(timeout=120)
        assert worker.returncode == 3, said
    copies = [path for path in home.rglob("*") if path.is_file() and _content(path) == INFECTED]
    (one,) = desk.quarantined()
    assert copies == [one.path] and _mode(one.path.parent) == 0o700
    assert (one.name, one.folder, one.reason) == ("gift.jpg", str(desk.home.inbox), "virus")
    assert "Test.Mark" in one.message
    rows = {row["path"]: row for row in folders.files(desk.ledger)}
    assert (rows["gift.jpg"]["state"], rows["gift.jpg"]["moved_to"]) == ("rejected", str(one.path))
    assert rows["good.jpg"]["state"] == "done"
    (sidecar,) = desk.home.inbox.glob("_rejected/*/*.error.json")
    told = json.loads(sidecar.read_text())
    assert (told["reason"], told["retry"]) == ("virus", "it lies in the quarantine")
    desk.close()


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_left_out_as_the_same_content_goes_into_the_quarantine_too(desk: Inbox, killed: bool) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (desk.inbox / name).write_bytes(INFECTED)
    desk.settle()
    assert sorted(desk.states().values()) == ["duplicate", "duplicate", "queued"]
    assert len(desk.ended("_done")) == 2  # nobody knows yet
    desk.work("virus")
    if killed:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ender, "_condemn", lambda self: 0)
            desk.look(1)
        desk.open()
    desk.look(1)
    assert set(desk.states().values()) == {"rejected"} and desk.ended("_done") == desk.ended("_rejected") == {}
    held = sorted(path for path in (desk.home / "quarantine").iterdir() if path.suffix != ".json")
    assert [path.name[32:] for path in held] == ["a.txt", "b.txt", "c.txt"] and {_mode(path) for path in held} == {0}
    said = {told["original_path"]: (told["reason"], told["message"]) for told in desk.sidecars()}
    assert len(said) == 3 and {reason for reason, _ in said.values()} == {"virus"}
    assert sum(message.endswith(", which is infected") for _, message in said.values()) == 2
    status = desk.status()
    assert (status["rejected"], status["duplicate"], desk.claims()) == (3, 0, [])


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _content(path: Path) -> bytes:
    """What a file holds; what lies in the quarantine must be out of reach before."""
    if path.parent.name == "quarantine" and not path.name.endswith(".json"):
        assert _mode(path) == 0
        path.chmod(0o600)
    return path.read_bytes()
