"""HOME/run goes away under a consumer that works: its jobs go on, in children that are there and in new ones."""

import os
import signal
from pathlib import Path

from jobdesk import Desk
from jobdesk.core.job import State
from tests.support import counting
from tests.support.home import consumer, end, kill, make_home

PROCESSORS = """
import os
from jobdesk import Context, processor

@processor("who", retries=0)
def who(ctx: Context) -> int:
    (ctx.workdir / "mine").touch()
    return os.getpid()
"""


def test_jobs_go_on_without_the_folder_of_the_running(tmp_path: Path) -> None:
    home = make_home(tmp_path, PROCESSORS, "[desk]\nworkers = 1\n")
    desk = Desk(home)
    worker = consumer(home)
    try:
        done = [desk.wait(desk.submit("who").id, timeout=60)]
        (home / "run").rename(tmp_path / "away")
        done.append(desk.wait(desk.submit("who").id, timeout=60))
        assert [(job.state, job.error) for job in done] == [(State.COMPLETED, None)] * 2
        with counting.ledger(home) as ledger:
            for (pid,) in ledger.execute("SELECT pid FROM child"):
                os.kill(pid, signal.SIGKILL)
        assert desk.wait(desk.submit("who", retries=3).id, timeout=60).state is State.COMPLETED
        assert (home / "run").stat().st_mode & 0o777 == 0o700
        kill(worker, signal.SIGTERM)
    finally:
        end(worker)
        desk.close()
    assert counting.doctor(home) == []
