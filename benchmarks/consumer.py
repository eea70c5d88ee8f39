"""The consumer process of one measurement: `python -m benchmarks.consumer KEY FOLDER MODE GOAL CAP_S WORKERS`.

Modes: count (drain GOAL jobs or for CAP_S seconds, whichever ends first), pickup, sleep. It says lines
on its stdout: `ready`, what the jobs say, and `result {…}`; it ends when its stdin is closed.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks import peers, work
from benchmarks.peers import Peer

POLL_S = 0.002
PATIENCE_S = 30.0
WARM = 40
"""Where jobs run in child processes, the clock runs from when this many are done: the children have started."""


class Voice:
    """Lines to the process that started this one; whatever else libraries print goes to stderr."""

    def __init__(self) -> None:
        self._pipe = os.dup(1)
        os.dup2(2, 1)

    def __call__(self, line: str) -> None:
        os.write(self._pipe, f"{line}\n".encode())


def drain(peer: Peer, count: work.Count, ready: threading.Event, cap_s: float) -> dict[str, float]:
    """How many jobs were finished in how many seconds, from when the workers had started."""
    ready.wait()
    began = time.monotonic()
    before = 0
    if not peer.counts:
        patience = began + PATIENCE_S
        while (before := peer.finished(0)) < WARM:
            if time.monotonic() > patience:
                return {}
            time.sleep(POLL_S)
        began = time.monotonic()
    deadline = began + cap_s
    if peer.counts:
        count.reached.wait(cap_s)
    done = peer.finished(count.seen)
    while done < count.goal and time.monotonic() < deadline:
        time.sleep(POLL_S)
        done = peer.finished(count.seen)
    ended = time.monotonic()
    if count.first is not None:
        began = min(began, count.first)
    memory = psutil.Process().memory_info().rss
    others = [psutil.Process(pid).memory_info().rss for pid in peer.companions()]
    return {"done": done - before, "seconds": ended - began, "rss_mb": memory / 2**20, "others_mb": sum(others) / 2**20}


def main() -> None:
    key, folder, mode, goal, cap_s, workers = sys.argv[1:7]
    say = Voice()
    peer = peers.everything()[key]
    peer.open(Path(folder))
    ready = threading.Event()
    count = work.Count(int(goal))
    doing: dict[str, Callable[[work.Payload], None]] = {
        "count": count,
        "pickup": work.Pickup(say),
        "sleep": work.Sleep(say),
    }
    work.become(doing[mode])

    def measure() -> None:
        ready.wait()
        say("ready")
        if mode == "count":
            say("result " + json.dumps(drain(peer, count, ready, float(cap_s))))

    def end() -> None:
        os.read(0, 1)  # not sys.stdin: a fork would inherit its lock
        threading.Timer(PATIENCE_S, os._exit, [1]).start()
        try:
            peer.stop()
        finally:
            os._exit(0)

    threading.Thread(target=measure, daemon=True).start()
    threading.Thread(target=end, daemon=True).start()
    peer.consume(int(workers), ready.set)
    threading.Event().wait()


if __name__ == "__main__":
    main()
