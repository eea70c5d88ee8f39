"""Who waits is told: in the same process, and from another one through its pipe."""

import os
from pathlib import Path

from jobdesk.queue.wake import Wake


def test_a_commit_wakes_waiters_of_the_same_process(tmp_path: Path) -> None:
    wake = Wake(tmp_path)
    seen, work = wake.generation, wake.work
    wake.committed(False)
    assert wake.wait(seen, 10) == seen + 1
    assert wake.wait_for_work(work, 0) == work
    wake.committed(True)
    assert wake.wait_for_work(work, 10) == work + 1


def test_a_commit_wakes_those_who_listen_elsewhere(tmp_path: Path) -> None:
    listener, other = Wake(tmp_path), Wake(tmp_path)
    listener.listen()
    seen = listener.work
    other.committed(True)
    assert listener.wait_for_work(seen, 10) > seen
    listener.close()
    assert not list(tmp_path.iterdir())


def test_a_pipe_that_nobody_reads_any_more_is_removed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "12345-dead.wake")
    Wake(tmp_path).committed(True)
    assert not list(tmp_path.iterdir())
