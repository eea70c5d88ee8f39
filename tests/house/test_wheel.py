"""The built wheel, in an empty environment, is the same program: processors, photos, styles and settings included."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_everything_and_runs_a_dropped_photo_through(tmp_path: Path) -> None:
    _run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)])
    (wheel,) = tmp_path.glob("jobdesk-*.whl")
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    _run([python, "-m", "pip", "install", "--quiet", str(wheel)])
    jobdesk = tmp_path / "empty" / "bin" / "jobdesk"
    home = tmp_path / "home"
    types = json.loads(_run([jobdesk, "--home", home, "processors", "list", "--json"]))
    assert "IMAGE_UPLOAD_REQUESTED" in {row["type"] for row in types}
    photo = _run(
        [
            python,
            "-c",
            "import jobdesk_assets.photos as p, pathlib; print(next(pathlib.Path(p.__path__[0]).glob('*.jpg')))",
        ]
    )
    inbox = home / "inbox"
    (inbox / "photo.jpg").write_bytes(Path(photo.strip()).read_bytes())
    _run([jobdesk, "--home", home, "--consumer", "--drain"])
    (asset,) = json.loads(_run([jobdesk, "--home", home, "assets", "list", "--json"]))
    assert asset["name"] == "photo.jpg"
    styles = _run(
        [python, "-c", "import jobdesk.tui as t, pathlib; print(*pathlib.Path(t.__path__[0]).glob('*.tcss'))"]
    )
    assert "jobdesk.tcss" in styles


def _run(command: list[object]) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBDESK_", "PYTHON"))}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
