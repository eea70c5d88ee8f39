"""Notices say honestly where they went, and records can be made outside a flow."""

from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.context import Bench

NOTICE = {"title": "-cat.jpg", "message": "is in the library", "level": "warning"}


def test_a_notice_goes_to_the_log_at_its_level(desk: Bench) -> None:
    ran = desk.run("NOTIFICATION_SEND", NOTICE)
    assert ran.result["channels"] == ["log"]
    assert ran.said[0]["log"][1:] == ["warning", "-cat.jpg: is in the library"]


def test_a_desktop_notice_is_claimed_only_if_it_was_shown(
    desk: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.settings["notify"]["desktop"] = True
    monkeypatch.setenv("PATH", str(tmp_path))
    assert desk.run("NOTIFICATION_SEND", NOTICE).result["channels"] == ["log"]

    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/shown\n')
    program.chmod(0o700)
    assert desk.run("NOTIFICATION_SEND", NOTICE).result["channels"] == ["log", "desktop"]
    assert (tmp_path / "shown").read_text().endswith("|--|-cat.jpg|is in the library|")

    program.write_text("#!/bin/sh\necho no session bus >&2; exit 1\n")
    failed = desk.run("NOTIFICATION_SEND", NOTICE)
    assert failed.result["channels"] == ["log"] and "no session bus" in failed.lines[-1]


def test_a_file_can_be_recorded_alone(desk: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(pictures.plain("PNG"))
    (record,) = desk.run("DATABASE_UPDATE", {"source": photo}).assets
    assert (record["name"], record["type"], record["width"]) == ("a.png", "image/png", 64)
    assert record["scan"]["scanned"] is False
    assert "nothing to record" in desk.run("DATABASE_UPDATE", {}).error.message
