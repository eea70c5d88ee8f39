"""How soon an idle consumer starts a job that another process submits, and what it costs while idle.

Peer: Huey's own consumer on its own SqliteHuey, defaults, 2 worker threads, in the same run.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.report import show
from jobdesk import Desk

JOBS = 100
IDLE_S = 10.0
PROCESSOR = """
from jobdesk import Context, processor

@processor("nothing")
def nothing(ctx: Context) -> None:
    pass
"""
PEER = """
import time
from huey import SqliteHuey
huey = SqliteHuey(filename={database!r})

@huey.task()
def nothing(submitted):
    with open({out!r}, "a") as out:
        print(time.time() - submitted, file=out)
"""


def ours(folder: Path) -> tuple[list[float], float]:
    home = folder / "home"
    (home / "processors").mkdir(parents=True, mode=0o700)
    (home / "processors" / "nothing.py").write_text(PROCESSOR)
    consumer = subprocess.Popen([sys.executable, "-m", "jobdesk", "--home", str(home), "--consumer"])
    try:
        desk = Desk(home)
        while not desk.consumers():
            time.sleep(0.05)
        warm = [desk.submit("nothing").id for _ in range(8)]
        desk.wait(*warm, timeout="30s")
        found = []
        for _ in range(JOBS):
            time.sleep(0.05)
            job = desk.submit("nothing")
            done = desk.wait(job.id, timeout="30s")
            assert done.started_at is not None
            found.append((done.started_at - done.created_at) * 1000)
        return found, idle_cpu(consumer.pid)
    finally:
        consumer.terminate()
        consumer.wait()


def peer(folder: Path) -> tuple[list[float], float]:
    out = folder / "out"
    (folder / "peer_tasks.py").write_text(PEER.format(database=str(folder / "peer.db"), out=str(out)))
    command = [sys.executable, "-m", "huey.bin.huey_consumer", "peer_tasks.huey", "-w", "2", "-q"]
    consumer = subprocess.Popen(command, cwd=folder, env={"PYTHONPATH": str(folder)}, stderr=subprocess.DEVNULL)
    try:
        sys.path.insert(0, str(folder))
        import peer_tasks  # type: ignore[import-not-found]

        time.sleep(1)
        for number in range(JOBS):
            time.sleep(0.05)
            peer_tasks.nothing(time.time())
            while not out.exists() or len(out.read_text().splitlines()) <= number:
                time.sleep(0.005)
        return [float(line) * 1000 for line in out.read_text().splitlines()], idle_cpu(consumer.pid)
    finally:
        consumer.terminate()
        consumer.wait()


def idle_cpu(pid: int) -> float:
    """Per cent of one core that the process and its children use while nothing happens."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    before = [sum(one.cpu_times()[:2]) for one in processes]
    time.sleep(IDLE_S)
    return 100 * sum(sum(one.cpu_times()[:2]) - then for one, then in zip(processes, before, strict=True)) / IDLE_S


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        mine, my_cpu = ours(Path(folder))
        theirs, their_cpu = peer(Path(folder))
    show("submitted to started, other process, idle", mine, "SqliteHuey", theirs, goal="goal: median < 10 ms")
    print(f"{'idle CPU of the consumer':<44} {my_cpu:9.2f} % of a core   SqliteHuey {their_cpu:.2f} %   goal < 1 %")


if __name__ == "__main__":
    main()
