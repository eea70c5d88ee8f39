"""What `processors new` makes works as it stands: as a file of a home, and as a package built and installed."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.home import make_home, said

DEADLINE_S = 180.0


def run(*words: str | Path) -> str:
    """A program, to its end; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "JOBDESK_HOME"}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=DEADLINE_S, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_file_of_a_home_and_its_test(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    made = [Path(line) for line in said(home, "processors", "new", "report.monthly").out.splitlines()]
    assert [path.relative_to(home / "processors").as_posix() for path in made] == [
        "report_monthly.py",
        "tests/test_report_monthly.py",
    ]
    assert "report.monthly" in said(home, "processors", "list").out
    assert "2 passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", made[1])
    again = said(home, "processors", "new", "report.monthly")
    assert again.code == 1 and "exists already" in again.error
    assert said(home, "processors", "new", "no such name!").code == 2


@pytest.mark.parametrize("type_", ["import", "list", "match", "processor", "GREET-2.x"])
def test_any_name_makes_a_processor_that_loads(tmp_path: Path, type_: str) -> None:
    home = make_home(tmp_path)
    said(home, "processors", "new", type_)
    (row,) = [row for row in said(home, "processors", "list", "--json").json if row["type"] == type_]
    assert not row["broken"]


def test_a_package_is_built_installed_and_used(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="70.1", reason="the package is built with setuptools alone")
    project = tmp_path / "greeter"
    assert said(make_home(tmp_path), "processors", "new", "greet.package", "--package", str(project)).code == 0
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    ours = sysconfig.get_path("purelib")
    (own / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")  # jobdesk itself and what tests need
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-build-isolation",
        "--no-index", "--disable-pip-version-check", project)  # fmt: skip
    listed = run(python, "-m", "jobdesk", "--home", tmp_path / "other", "processors", "list")
    assert "greet.package" in listed
    assert "2 passed" in run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", project / "tests")
    assert "holds something" in said(tmp_path / "home", "processors", "new", "x", "--package", str(project)).error


@pytest.mark.soak
def test_a_skeleton_is_typed(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (made, _) = said(home, "processors", "new", "greet").out.splitlines()
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "types", made)
