"""What the README shows of Python runs as it stands there and prints what it is said to."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.home import make_home

README = (Path(__file__).parents[2] / "README.md").read_text()


def snippets(heading: str) -> list[str]:
    """The Python blocks of a section, with their indentation taken off."""
    section = README.split(f"\n{heading}\n")[1].split("\n## ")[0].split("\n### ")[0]
    found = re.findall(r"^( *)```python\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def run(code: str, person: Path) -> list[str]:
    """Run a script as a person whose home folder this is; the lines it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "JOBDESK_HOME"} | {"HOME": str(person)}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_the_examples_run(tmp_path: Path) -> None:
    greet, first_script = snippets("## Five minutes to your own photo")
    make_home(tmp_path, greet).rename(tmp_path / "desk")
    assert run(first_script, tmp_path) == ["{'greeted': 'Ada'}"]
    (script,) = snippets("### Python")
    said = run(script, tmp_path)
    why = said.pop(2)
    assert why.startswith("It is due at ") and why.endswith(" cancelled")
    assert said == [
        "completed",
        "['Ann', 'Max', 'Sue', 'Tim']",
        "Zoë Zoë",
        "5 job_completed 1",
        "['default'] 9",
        "['daily'] completed",
        "payload",
    ]
