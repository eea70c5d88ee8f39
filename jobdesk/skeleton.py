"""The beginning of a job type of one's own: a typed processor and a test that runs it, as a file or as a package."""

import re
from collections.abc import Mapping
from pathlib import Path

from jobdesk.core.errors import HomeError, Refused, UsageError

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")

_PROCESSOR = '''"""The job type {type}."""

from jobdesk import Context, processor


@processor("{type}", queue="default", timeout="1m", retries=2)
def {function}(ctx: Context, name: str, times: int = 1) -> dict[str, object]:
    """Say hello, several times."""
    for done in range(times):
        ctx.checkpoint()  # stops here when the job is cancelled
        ctx.log.info(f"hello {{name}}")
        ctx.progress(done + 1, times)
    return {{"greeted": name, "times": times}}
'''

_FILE_TEST = '''"""Runs the job type {type} as a desk runs it; start it with pytest."""

import shutil
from pathlib import Path

import pytest
from jobdesk import Desk, JobdeskError

HERE = Path(__file__).parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of the test's own, with this processor."""
    processors = tmp_path / "home" / "processors"
    processors.mkdir(parents=True)
    shutil.copy(HERE.parent / "{module}.py", processors)
    (tmp_path / "home").chmod(0o700)
    return tmp_path / "home"

'''

_PACKAGE_TEST = '''"""Runs the job type {type} as a desk runs it; start it with pytest where it is installed."""

from pathlib import Path

import pytest
from jobdesk import Desk, JobdeskError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of the test's own."""
    return tmp_path / "home"

'''

_TESTS = """
def test_it_runs(home: Path) -> None:
    with Desk(home) as desk:
        job = desk.wait(desk.submit("{type}", {{"name": "Ada", "times": 2}}).id, timeout="1m")
        assert job.result == {{"greeted": "Ada", "times": 2}}
        assert [line.data["message"] for line in desk.logs(job.id)] == ["hello Ada", "hello Ada"]


def test_a_wrong_payload_is_refused_when_it_is_submitted(home: Path) -> None:
    desk = Desk(home)
    with pytest.raises(JobdeskError, match="'name' is missing"):
        desk.submit("{type}", {{}})
    desk.close()
"""

_PYPROJECT = """[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "{package}"
version = "0.1.0"
description = "The job type {type} for jobdesk"
requires-python = ">=3.11"
dependencies = ["jobdesk"]

[project.entry-points."jobdesk.processors"]
{module} = "{module}"

[tool.setuptools]
packages = ["{module}"]

[tool.setuptools.package-data]
{module} = ["py.typed"]
"""

_README = """# {package}

The job type `{type}` for jobdesk. Install it where jobdesk is installed, and start the consumer anew:

    pip install .
    jobdesk submit {type} name=Ada

Its test: `pytest`.
"""


def file(type_: str, folder: Path) -> list[Path]:
    """Write a processor into the folder of a home, and its test into `tests` there; their paths.

    Raises:
        UsageError: the type is no name.
        Refused: there is one of this name.
    """
    names = _names(type_)
    module = names["module"] = names["plain"]
    return _write(
        folder,
        {
            f"{module}.py": _PROCESSOR,
            f"tests/test_{module}.py": _FILE_TEST + _TESTS,
        },
        names,
    )


def package(type_: str, folder: Path) -> list[Path]:
    """Write a package that can be installed, with its entry point and a test, into a new or empty folder; its paths.

    Raises:
        UsageError: the type is no name.
        Refused: the folder holds something.
    """
    names = _names(type_)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} holds something already: name a new folder")
    module = names["module"]
    return _write(
        folder,
        {
            "pyproject.toml": _PYPROJECT,
            "README.md": _README,
            f"{module}/__init__.py": _PROCESSOR,
            f"{module}/py.typed": "",
            f"tests/test_{module}.py": _PACKAGE_TEST + _TESTS,
        },
        names,
    )


def _names(type_: str) -> dict[str, str]:
    if _TYPE.fullmatch(type_) is None:
        raise UsageError(f"'{type_}' is no name for a job type: write letters, digits, _ - and ., like report.monthly")
    plain = re.sub(r"[^a-z0-9]+", "_", type_.lower()).strip("_")
    module = f"jobdesk_{plain}"
    return {
        "type": type_,
        "plain": plain,
        "module": module,
        "package": module.replace("_", "-"),
        "function": f"{plain}_job" if _is_taken(plain) else plain,
    }


def _is_taken(name: str) -> bool:
    """Whether a function of this name would hide a word of Python or of the skeleton."""
    import builtins
    import keyword

    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name) or name == "processor"


def _write(folder: Path, texts: Mapping[str, str], names: Mapping[str, str]) -> list[Path]:
    paths = [folder / name for name in texts]
    for path in paths:
        if path.exists():
            raise Refused(f"{path} exists already and stays as it is: choose another name")
    try:
        for path, text in zip(paths, texts.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(**names), encoding="utf-8")
    except OSError as error:
        raise HomeError(
            f"{error.filename or folder} cannot be written ({error.strerror}): choose another place"
        ) from None
    return paths
