"""`jobdesk folders`: what is added, changed, removed and asked by commands."""

from pathlib import Path

from tests.cli.conftest import Say


def test_a_folder_is_added_changed_listed_and_removed(say: Say, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    words = ["--pattern", "*.jpg", "--pattern", "*.png", "--type", "image/*", "--settle", "500ms", "--max-size", "5MB"]
    made = say("folders", "add", str(drop), "--pipeline", "greet", *words, "name={stem}", "--json").json
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
    wrong = say("folders", "add", drop, "--pipeline", "great", "--json")
    assert wrong.code == 2 and "did you mean 'greet'?" in wrong.err
    assert say("folders", "add", drop, "--pipeline", "greet", "--settle", "soon").code == 2
    assert say("folders", "remove", drop).code == 4
    assert say("folders", "set", drop, "--settle", "1s").code == 4
    say("folders", "add", drop, "--pipeline", "greet")
    assert say("folders", "add", drop, "--pipeline", "greet").code == 1
    assert say("folders", "set", drop).code == 2
    ours = say("folders", "list", "--json").json[0]["path"]
    assert say("folders", "remove", ours).code == 1


def test_what_would_happen_to_a_file_is_said_rule_by_rule(say: Say, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    say("folders", "add", str(drop), "--pipeline", "greet", "--type", "image/*", "--exclude", "*draft*")
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
