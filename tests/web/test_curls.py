"""Each `curl` of the five systems' documents works, with the real curl."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import Served

SCRIPT = Path(__file__).with_name("reference_curls.sh")
MISSING = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]


@pytest.mark.skipif(bool(MISSING), reason=f"there is no {', '.join(MISSING)} here")
def test_every_curl_of_the_documents(served: Served, tmp_path: Path) -> None:
    lines = [f'header = "Authorization: Bearer {served.token}"', "silent", "show-error", "fail", 'noproxy = "*"']
    lines += [f'connect-to = "localhost:{port}:127.0.0.1:{served.server.port}"' for port in (3001, 3007, 3009)]
    (tmp_path / ".curlrc").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [str(SCRIPT)], env={**os.environ, "CURL_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    curls = sum(line.split("(")[-1].startswith("curl ") for line in SCRIPT.read_text().splitlines())
    assert curls == 17 and done.stdout.count("ok  ") == curls
