"""Measurements of jobdesk alone: what the issue sets goals for and peers have no like of."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks import idle
from benchmarks.fill import fill
from benchmarks.peers import Peer
from benchmarks.peers.jobdesk_queue import Jobdesk
from benchmarks.trial import WORKERS, Found, Options, consumer, drained, top_up
from benchmarks.work import payload
from jobdesk.ledger import folding

THREADS = 8
CHILDREN = 2
SETTLE_S = 60.0
FOLDED_AT_ONCE = 100_000


def _ours(peer: Peer) -> Jobdesk:
    assert isinstance(peer, Jobdesk)
    return peer


def threads(peer: Peer, folder: Path, how: Options) -> Found:
    """Submissions a second by 8 threads of one process."""
    peer.submit(payload(0))
    end = time.monotonic() + how.cap_s
    sent = [0] * THREADS

    def submit(number: int) -> None:
        while time.monotonic() < end:
            peer.submit(payload(number))
            sent[number] += 1

    began = time.monotonic()
    running = [threading.Thread(target=submit, args=(number,)) for number in range(THREADS)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return {"threads": sum(sent) / (time.monotonic() - began)}


def bytes_a_job(peer: Peer, folder: Path, how: Options) -> Found:
    """How much the database has grown for each job that has run, its history included."""
    desk = _ours(peer).desk
    desk.sync_queues()
    peer.close()
    before = desk.home.database.stat().st_size
    made = top_up(peer, how.jobs // 4, how.cap_s)
    drained(peer, folder, made, SETTLE_S)
    peer.close()
    return {"bytes": (desk.home.database.stat().st_size - before) / made}


def fill_finished(peer: Peer, folder: Path, how: Options) -> Found:
    """A ledger with very many finished jobs, to be copied; in the rollups, as those that a consumer ended long ago."""
    desk = _ours(peer).desk
    began = time.monotonic()
    fill(desk.home.path, how.finished)
    while folding.fold(desk.ledger, FOLDED_AT_ONCE).more or folding.forget(desk.ledger, time.time()).more:
        pass
    desk.resume("default")
    return {"fill_s": time.monotonic() - began}


def finished(peer: Peer, folder: Path, how: Options) -> Found:
    """Drain with very many finished in the ledger; the memory of the program itself when it has drained some more."""
    made = top_up(peer, how.jobs, how.cap_s)
    found = drained(peer, folder, made, how.cap_s)
    return {"finished": found["drain"], "finished_rss_mb": _rss_mb(peer, how)}


def _rss_mb(peer: Peer, how: Options) -> float:
    """Of `jobdesk --consumer`, without what measures and what peers bring with them: after a drain."""
    desk = _ours(peer).desk
    top_up(peer, how.jobs, how.cap_s)
    words = ["--consumer", "--workers", str(WORKERS), "--home", str(desk.home.path)]
    consumer = subprocess.Popen([sys.executable, "-m", "benchmarks.plain", *words])
    try:
        end = time.monotonic() + SETTLE_S
        while desk.jobs("state:pending,processing", limit=1).jobs and time.monotonic() < end:
            time.sleep(0.1)
        return psutil.Process(consumer.pid).memory_info().rss / 2**20
    finally:
        consumer.terminate()
        consumer.wait()


def paused(peer: Peer, folder: Path, how: Options) -> Found:
    """Drain the others of the filled folder's jobs while those, in the default queue, are paused."""
    ours = _ours(peer)
    ours.desk.pause("default")
    end, made = time.monotonic() + how.cap_s, 0
    while made < how.jobs and time.monotonic() < end:
        ours.submit_many([payload(n) for n in range(2_000)], queue="maintenance")
        made += 2_000
    return {"paused": drained(peer, folder, made, how.cap_s)["drain"]}


def process(peer: Peer, folder: Path, how: Options) -> Found:
    """Drain by 2 warm child processes."""
    made = top_up(peer, how.jobs, how.cap_s)
    return {"process": drained(peer, folder, made, how.cap_s, CHILDREN)["drain"]}


def rest20(peer: Peer, folder: Path, how: Options) -> Found:
    """Idle with 20 queues, each of which has had work."""
    ours = _ours(peer)
    with consumer(peer, folder, "pickup") as running:
        for name in [queue.name for queue in ours.desk.queues()][:20]:
            ours.submit_many([payload(0, at=time.monotonic())], queue=name)
            running.hear("pickup")
        time.sleep(2.0)
        return {"idle_cpu20": idle.cpu(running.process.pid, [], how.idle_s)}


NAMES: dict[str, Callable[[Peer, Path, Options], Found]] = {
    "threads": threads, "bytes": bytes_a_job, "fill-finished": fill_finished, "finished": finished,
    "paused": paused, "process": process, "rest20": rest20,
}  # fmt: skip
