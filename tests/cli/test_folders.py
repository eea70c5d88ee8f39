"""`jobdesk folders`: what is added, changed, removed and asked by commands."""

import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Say

TAKE = """
from pathlib import Path
from jobdesk import Context, processor

@processor("take", isolation="thread")
def take(ctx: Context, source: Path, name: str = "", times: int = 1) -> None:
    "Takes a file."
"""


@pytest.fixture(autouse=True)
def takes_files(home: Path) -> None:
    (home / "processors/taking.py").write_text(TAKE)


def test_a_folder_is_added_changed_listed_and_removed(say: Say, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    words = ["--pattern", "*.jpg", "--pattern", "*.png", "--type", "image/*", "--settle", "500ms", "--max-size", "5MB"]
    made = say("folders", "add", str(drop), "--pipeline", "take", *words, "name={stem}", "--json").json
    assert made["path"] == str(drop) and made["origin"] == "added" and drop.is_dir()
    assert (made["patterns"], made["types"], made["settle"]) == (["*.jpg", "*.png"], ["image/*"], 0.5)
    assert (made["max_size"], made["data"], made["watched"]) == (5_000_000, {"name": "{stem}"}, False)
    changed = say("folders", "set", str(drop), "--unset", "pattern", "--source", "keep", "times=2", "--json").json
    assert (changed["patterns"], changed["source"]) == (["*"], "keep")
    assert changed["data"] == {"name": "{stem}", "times": 2} and changed["settle"] == 0.5
    listed = {row["path"]: row["origin"] for row in say("folders", "list", "--json").json}
    assert listed[str(drop)] == "added" and list(listed.values()).count("settings") == len(listed) - 1
    assert say("folders", "remove", str(drop), "--json").json == {"removed": str(drop)}
    assert str(drop) not in {row["path"] for row in say("folders", "list", "--json").json} and drop.is_dir()


def test_what_cannot_be_is_refused_in_one_sentence(say: Say, tmp_path: Path) -> None:
    drop = str(tmp_path / "drop")
    wrong = say("folders", "add", drop, "--pipeline", "taken", "--json")
    assert wrong.code == 2 and "did you mean 'take'?" in wrong.err
    assert say("folders", "add", drop, "--pipeline", "take", "--settle", "soon").code == 2
    assert say("folders", "remove", drop).code == 4
    assert say("folders", "set", drop, "--settle", "1s").code == 4
    say("folders", "add", drop, "--pipeline", "take")
    assert say("folders", "add", drop, "--pipeline", "take").code == 1
    assert say("folders", "set", drop).code == 2
    ours = say("folders", "list", "--json").json[0]["path"]
    assert say("folders", "remove", ours).code == 1


def test_what_would_happen_to_a_file_is_said_rule_by_rule(say: Say, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    say("folders", "add", str(drop), "--pipeline", "take", "--type", "image/*", "--exclude", "*draft*")
    file = drop / "words.jpg"
    file.write_text("no picture")
    told = say("folders", "test", str(file), "--json").json
    (one,) = told["folders"]
    assert told["inside"] and one["outcome"] == "rejected" and one["detected_type"] == "text/plain"
    failed = [check["rule"] for check in one["checks"] if check["passed"] is False]
    assert failed == ["content"] and {"name", "patterns", "exclude", "kind", "size", "whole"} <= {
        check["rule"] for check in one["checks"]
    }
    said = say("folders", "test", str(file)).out
    assert "is rejected: it is text/plain by its content" in said and "NO  content" in said
    assert file.read_text() == "no picture" and [path.name for path in drop.iterdir()] == ["words.jpg"]


def test_a_file_in_quarantine_whose_name_is_no_text_is_listed_let_out_and_destroyed(
    say: Say, home: Path, tmp_path: Path
) -> None:
    corner = home / "quarantine"
    corner.mkdir(mode=0o700, exist_ok=True)
    names = [b"file_%026d-we\xffird\n.txt" % number for number in range(2)]
    for name in names:
        (corner / os.fsdecode(name)).write_bytes(b"ill")
    listed = sorted(row["file"] for row in say("folders", "quarantine", "--json").json)
    assert listed == [f"file_{number:026}-we\\xffird\\n.txt" for number in range(2)]
    assert all(name in say("folders", "quarantine").out for name in listed)
    out = tmp_path / "out"
    assert say("folders", "release", listed[0], "--to", str(out)).code == 0 and out.read_bytes() == b"ill"
    assert say("folders", "destroy", listed[1], "--yes").code == 0 and list(corner.iterdir()) == []
    targets = [one["target"] for one in say("audit", "--json").json if one["action"] in ("release", "destroy")]
    assert targets == [f"file {name}" for name in reversed(listed)]


def test_what_lies_in_quarantine_is_listed_let_out_and_destroyed(say: Say, home: Path, tmp_path: Path) -> None:
    """Both a dropped file and one that a scan moved there, which nobody may read."""
    corner = home / "quarantine"
    corner.mkdir(mode=0o700, exist_ok=True)
    dropped = corner / "file_01KB0000000000000000000000-gift.jpg"
    dropped.write_bytes(b"dropped")
    said = {"folder": "/in", "reason": "virus", "message": "it is ill", "rejected_at": "2026-01-02T03:04:05.000Z"}
    Path(f"{dropped}.error.json").write_text(json.dumps(said))
    scanned = corner / "job_1-b.pdf.infected"
    scanned.write_bytes(b"scanned")
    note = corner / "job_1-b.pdf.json"
    note.write_text(json.dumps({"name": "../b.pdf", "infection": "Eicar", "job": "job_1", "found_at": "never"}))
    scanned.chmod(0)
    listed = {row["file"]: row for row in say("folders", "quarantine", "--json").json}
    assert set(listed) == {dropped.name, scanned.name}
    assert (listed[dropped.name]["name"], listed[dropped.name]["message"]) == ("gift.jpg", "it is ill")
    assert (listed[scanned.name]["message"], listed[scanned.name]["job"]) == ("Eicar", "job_1")
    assert "Eicar" in say("folders", "quarantine").out
    assert say("folders", "release", "nothing", "--to", str(tmp_path)).code == 4
    (tmp_path / "b.pdf").touch()
    assert say("folders", "release", "job_1", "--to", str(tmp_path)).code == 1 and scanned.exists() and note.exists()
    out = tmp_path / "out.pdf"
    assert say("folders", "release", "job_1", "--to", str(out), "--json").json["path"] == str(out)
    assert out.read_bytes() == b"scanned" and stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not scanned.exists() and not note.exists()
    assert say("folders", "destroy").code == say("folders", "destroy", "--all").code == 2 and dropped.exists()
    assert len(say("folders", "destroy", "--all", "--dry-run", "--json").json) == 1 and dropped.exists()
    assert say("folders", "destroy", "file_01", "--yes").code == 0
    assert list(corner.iterdir()) == [] and say("folders", "quarantine", "--json").json == []
    assert [one["action"] for one in say("audit", "--json").json if one["action"] in ("release", "destroy")] == [
        "destroy", "release",
    ]  # fmt: skip
