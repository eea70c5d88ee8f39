"""File systems that come, go, fill up, belong to others, or say nothing of what happens in them."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobdesk.folders import hearing, looking
from jobdesk.folders.hearing import Ear
from jobdesk.folders.place import is_network
from tests.folders.conftest import Desk

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts a small file system in memory over a folder; skips the test where that is not allowed."""
    mounted: list[Path] = []

    def begin(where: Path, size: str = "4m") -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("nothing can be mounted here")
        mounted.append(where)

    yield begin
    for where in mounted:
        subprocess.run(["umount", "-l", str(where)], capture_output=True, check=False)


def test_a_folder_whose_mount_comes_goes_and_returns_is_served_throughout(desk: Desk, mount: Mount) -> None:
    desk.open(min_free_bytes=0)
    desk.look()
    mount(desk.inbox, "4m")  # a share that comes late, over a folder that is watched already
    (desk.inbox / "a.jpg").write_bytes(b"on the share")
    desk.look(30)
    desk.run()
    assert desk.read == [b"on the share"]
    subprocess.run(["umount", "-l", str(desk.inbox)], check=True)
    (desk.inbox / "b.jpg").write_bytes(b"below it")
    desk.look(30)
    desk.run()
    assert desk.read == [b"on the share", b"below it"]


def test_a_folder_whose_mount_is_gone_is_offline_and_not_empty(desk: Desk, mount: Mount) -> None:
    mount(desk.inbox, "4m")
    desk.open(min_free_bytes=0)
    desk.look()
    subprocess.run(["umount", "-l", str(desk.inbox)], check=True)
    (desk.inbox / "a.jpg").write_bytes(b"below it")
    desk.look(30)
    desk.run()
    assert desk.status()["mode"] == "offline" and "what was mounted at" in desk.status()["message"]
    assert os.listdir(desk.inbox) == ["a.jpg"]  # the bare folder is left as it is
    mount(desk.inbox, "4m")
    (desk.inbox / "b.jpg").write_bytes(b"on the share")
    desk.look(30)
    desk.run()
    assert desk.read == [b"on the share"] and desk.status()["mode"] == "scan"


def test_a_full_disk_is_said_and_taking_in_goes_on_when_there_is_room(desk: Desk, mount: Mount) -> None:
    mount(desk.inbox, "256k")
    desk.open(min_free_bytes=0)
    desk.look()
    (desk.inbox / "a.jpg").write_bytes(b"content")
    with pytest.raises(OSError), (desk.inbox / ".filler").open("wb") as filler:
        while True:
            filler.write(b"x" * 4096)
            filler.flush()
    for _ in range(5):
        desk.look(6)
    assert desk.work() == 0 and desk.left() == [".filler", "a.jpg"]
    assert "No space left" in desk.status()["message"]
    (desk.inbox / ".filler").unlink()
    desk.look(6)
    desk.run()
    assert desk.read == [b"content"]


def test_a_root_that_a_link_takes_the_place_of_is_followed_to_where_it_leads(desk: Desk) -> None:
    desk.look()
    elsewhere = desk.home / "elsewhere"
    desk.inbox.rename(elsewhere)
    desk.inbox.symlink_to(elsewhere)
    (desk.inbox / "a.jpg").write_bytes(b"content")
    desk.look(30)
    desk.run()
    assert desk.read == [b"content"]


def test_what_lies_on_another_file_system_within_is_left_to_it(desk: Desk, mount: Mount) -> None:
    (desk.inbox / "mounted").mkdir()
    mount(desk.inbox / "mounted", "1m")
    (desk.inbox / "mounted/a.jpg").write_bytes(b"content")
    desk.run()
    assert desk.read == [] and desk.files("ignored")[0]["reason"] == "on another file system"


def test_a_network_share_is_looked_through_and_its_files_rest_longer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "is_network", lambda path: True)
    monkeypatch.setattr(hearing, "is_network", lambda path: True)
    desk.service.stop()
    desk.service = desk.make(ear=Ear())
    (desk.inbox / "a.jpg").write_bytes(b"content")
    desk.look()
    assert desk.status()["mode"] == "scan"
    desk.look(3)
    assert desk.left() == ["a.jpg"]
    for _ in range(4):
        desk.look(2.1)
    desk.run()
    assert desk.read == [b"content"]


@pytest.mark.parametrize(
    ("kind", "network"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("ext4", False), ("tmpfs", False)],
)
def test_a_network_is_told_by_the_innermost_mount(tmp_path: Path, kind: str, network: bool) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        f"90 22 0:50 / /mnt/my\\040share rw,relatime shared:7 - {kind} server:/x rw\n"
    )
    assert is_network(b"/mnt/my share/in", str(table)) is network
    assert is_network(b"/mnt/my share too", str(table)) is False


def test_a_device_is_left_and_later_files_are_taken(desk: Desk) -> None:
    try:
        os.mknod(desk.inbox / "device.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("no device can be made here")
    (desk.inbox / "z.jpg").write_bytes(b"later")
    desk.run()
    assert desk.read == [b"later"] and desk.files("ignored")[0]["reason"] == "device"
