"""-shm or -wal deleted under a consumer that works: nobody else writes then, and what was submitted is not lost."""

import signal
from pathlib import Path

import pytest

from jobdesk import Desk
from tests.support import counting
from tests.support.home import command, consumer, end, kill, make_home

PROCESSORS = """
from jobdesk import Context, processor

@processor("quick", isolation="thread")
def quick(ctx: Context) -> None:
    pass
"""


@pytest.mark.parametrize("gone", ["shm", "wal"])
def test_nobody_joins_a_process_whose_files_were_deleted(tmp_path: Path, gone: str) -> None:
    home = make_home(tmp_path, PROCESSORS)
    worker = consumer(home)
    try:
        stored = [command(home, "submit", "quick").out.strip()]
        (home / f"jobdesk.db-{gone}").unlink()
        refused = command(home, "submit", "quick")
        assert refused.code == 5
        assert "works with it: end that process first" in refused.error and str(worker.pid) in refused.error
        kill(worker, signal.SIGTERM)
    finally:
        end(worker)
    stored.append(command(home, "submit", "quick").out.strip())
    with Desk(home) as desk:
        assert [job.state for job in (desk.wait(id_, timeout=60) for id_ in stored)] == ["completed"] * 2
    assert counting.doctor(home) == []
