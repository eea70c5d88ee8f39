"""The document says what the server does: schemathesis asks whatever it allows, and what it forbids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobdesk.web.openapi import describe
from jobdesk.web.table import routes
from tests.web.conftest import Serve, Served

QUICK = "[http]\nrate_limit = '1000000/s'\n"
CONFIG = """
[parameters]
"path.jobId" = "{job}"
"path.queueName" = "default"
"path.jobName" = "nightly"
"path.userId" = "ada"
"header.x-user-role" = "admin"
"""


def test_it_has_every_route_once_and_refers_to_nothing_that_is_not_there(served: Served) -> None:
    document = served.get("/api/v1/openapi.json")
    assert document == describe(routes(), with_token=True) and document["openapi"] == "3.1.0"
    told = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    assert sorted(told) == sorted((route.method, route.path) for route in routes()) and len(set(told)) == len(told)
    operations = [one for item in document["paths"].values() for one in item.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"].endswith(".") for one in operations)

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [ref for one in value.values() for ref in references(one)]
        return [ref for one in value for ref in references(one)] if isinstance(value, list) else []

    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    assert served.client.get("/openapi.json").headers["content-type"] == "application/json"


def _fuzz(served: Served, folder: Path, cases: int, *options: str) -> None:
    job = served.desk.submit("greet", {"name": "a"}, delay="100d", user="ada")
    served.desk.add_schedule("nightly", "greet", cron="@daily", data={"name": "a"})
    (folder / "schemathesis.toml").write_text(CONFIG.format(job=job.id))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{served.server.url}/openapi.json",
            "--header", f"Authorization: Bearer {served.token}", "--exclude-path-regex", "stream$", "--checks", "all",
            # whether data fits is said by the job's type, and what a state allows by its job: no document knows
            "--exclude-checks", "positive_data_acceptance",
            "--max-examples", str(cases), "--generation-deterministic", "--suppress-health-check", "all",
            "--no-shrink", "--warnings", "off", *options,  # one worker: Python 3.11 may not parse in two threads
        ],
        cwd=folder, env={**os.environ, "NO_COLOR": "1", "NO_PROXY": "127.0.0.1"}, capture_output=True, text=True,
        check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert "generated" in done.stdout and "passed" in done.stdout, done.stdout
    assert served.get("/health")["checks"]["database"] is True


def test_nothing_that_the_document_allows_breaks_it(serve: Serve, tmp_path: Path) -> None:
    _fuzz(serve(QUICK), tmp_path, 2, "--phases", "examples,fuzzing")


@pytest.mark.soak
def test_nothing_breaks_it_however_long_one_tries(serve: Serve, tmp_path: Path) -> None:
    _fuzz(serve(QUICK), tmp_path, 150, "--phases", "examples,coverage,fuzzing,stateful")
