"""House rules that no linter knows: what a command may import, and where the time is read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "textual",
    "rich",
    "huey",
    "watchdog",
    "PIL",
    "psutil",
    "peewee",
    "pydantic",
    "croniter",
    "httpx",
    "starlette",
    "uvicorn",
}


def _modules(code: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split("\n")[-2].split())


def _imported(code: str) -> set[str]:
    return {name.partition(".")[0] for name in _modules(code)}


def test_importing_jobdesk_costs_nothing() -> None:
    assert not _imported("import jobdesk") & HEAVY


def test_help_imports_nothing_heavy() -> None:
    code = "from jobdesk.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not _imported(code) & HEAVY


@pytest.mark.parametrize("command", [["jobs", "list"], ["queues", "list"], ["events"], ["metrics"]])
def test_reading_commands_import_neither_the_app_nor_the_workers(tmp_path: Path, command: list[str]) -> None:
    code = f"from jobdesk.cli.main import main\nmain(['--home', {str(tmp_path / 'home')!r}, *{command!r}])"
    assert not _imported(code) & {"textual", "rich", "huey", "watchdog", "PIL", "croniter"}


def test_a_list_of_jobs_needs_nothing_that_submits_moves_or_plans(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = _modules(f"from jobdesk.cli.main import main\nmain(['--home', {str(home)!r}, 'jobs', 'list'])")
    assert not found & {f"jobdesk.{name}" for name in ("flow_plan", "ledger.moves", "ledger.flows", "ledger.schedules")}
    assert not {name for name in found if name.startswith(("jobdesk.flows", "jobdesk.folders", "jobdesk.schedules"))}


def test_time_is_read_in_one_place() -> None:
    reads = re.compile(r"\btime\.time\(|datetime\.(now|utcnow)\(|\btime\.sleep\(")
    inside_children = {"runtime/child.py", "runtime/context.py"}  # a child has no clock but the machine's
    guilty = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "jobdesk").rglob("*.py")
        if file != ROOT / "jobdesk/core/clock.py"
        and str(file.relative_to(ROOT / "jobdesk")) not in inside_children
        and reads.search(file.read_text())
    ]
    assert guilty == []


def test_no_file_is_more_than_one_subject_long() -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for folder in ("jobdesk", "processors", "tests")
        for file in (ROOT / folder).rglob("*.py")
        if (count := len(file.read_text().splitlines())) > 350
    }
    assert long == {}
