"""One measurement of one queue in a process of its own: `python -m benchmarks.trial KEY NAME FOLDER OPTIONS`.

This process is the producer; it starts the consumer. What was found is printed as one JSON object.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from benchmarks import idle, peers
from benchmarks.peers import Peer
from benchmarks.work import payload

WORKERS = 4
GRACE_S = 20.0
TASTE_S = 2.0
"""After so long it is known whether filling will take too long."""
LIMIT_S = 180.0
"""No measurement takes as long."""
Found = dict[str, float | str | list[float]]


@dataclass(frozen=True)
class Options:
    """How much of everything."""

    jobs: int = 20_000
    cap_s: float = 1.5
    """How long one submitting or draining is measured at most."""
    backlog: int = 200_000
    finished: int = 1_000_000
    fill_s: float = 60.0
    """How long submitting those may take; who needs longer is not measured with them."""
    pickups: int = 30
    idle_s: float = 10.0
    crash_s: float = 60.0
    """How long jobs may take to come back."""


class Consumer:
    """A consumer process and what it says."""

    def __init__(self, peer: Peer, folder: Path, mode: str, goal: int = 0, cap_s: float = 0.0, workers: int = WORKERS):
        words = [peer.key, str(folder), mode, str(goal), str(cap_s), str(workers)]
        self._log = folder / "consumer.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.consumer", *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            )  # fmt: skip
        self._lines: IO[str] = self.process.stdout  # type: ignore[assignment]

    def hear(self, word: str) -> str:
        """The rest of the next line that begins with the word."""
        for line in self._lines:
            first, _, rest = line.strip().partition(" ")
            if first == word:
                return rest
        raise SystemExit("the consumer ended early: " + " | ".join(self._log.read_text().splitlines()[-3:]))

    def lines(self) -> Iterator[tuple[str, str]]:
        """All further lines as word and rest."""
        for line in self._lines:
            first, _, rest = line.strip().partition(" ")
            yield first, rest

    def end(self) -> None:
        """Ask it to stop; kill it and its children if it does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def consumer(
    peer: Peer, folder: Path, mode: str, goal: int = 0, cap_s: float = 0.0, workers: int = WORKERS
) -> Iterator[Consumer]:
    made = Consumer(peer, folder, mode, goal, cap_s, workers)
    try:
        made.hear("ready")
        yield made
    finally:
        made.end()


def drained(peer: Peer, folder: Path, jobs: int, cap_s: float, workers: int = WORKERS) -> Found:
    """Jobs a second out of those that wait; the consumer's memory afterwards."""
    with consumer(peer, folder, "count", jobs, cap_s, workers) as running:
        found = json.loads(running.hear("result"))
    if not found:
        raise SystemExit("no job was finished")
    return {
        "drain": found["done"] / found["seconds"],
        "rss_mb": found["rss_mb"],
        "others_mb": found["others_mb"],
    }


def top_up(peer: Peer, jobs: int, cap_s: float) -> int:
    """Submit up to so many jobs in pieces, for at most `cap_s`; how many."""
    end, made = time.monotonic() + cap_s, 0
    while made < jobs and time.monotonic() < end:
        size = min(2_000, jobs - made)
        peer.fill([payload(n) for n in range(size)])
        made += size
    return made


def drain(peer: Peer, folder: Path, how: Options) -> Found:
    """Submit one by one, timed; then drain these and as many as make up `jobs`."""
    peer.submit(payload(0))  # opens connections
    sent, began = 1, time.monotonic()
    end = began + how.cap_s
    while sent < how.jobs and time.monotonic() < end:
        peer.submit(payload(sent))
        sent += 1
    rate = (sent - 1) / (time.monotonic() - began)
    sent += top_up(peer, how.jobs - sent, how.cap_s)
    return {"submit": rate, **drained(peer, folder, sent, how.cap_s)}


def batch(peer: Peer, folder: Path, how: Options) -> Found:
    """Submit all in one call."""
    peer.submit(payload(0))
    many = [payload(n) for n in range(how.jobs)]
    began = time.monotonic()
    peer.submit_many(many)
    return {"batch": how.jobs / (time.monotonic() - began)}


def fill(peer: Peer, folder: Path, how: Options) -> Found:
    """A folder to be copied in which so many wait; jobdesk takes the time it needs."""
    if peer.family == "jobdesk":
        return {"filled": top_up(peer, how.backlog, LIMIT_S)}
    began = time.monotonic()
    made = top_up(peer, how.backlog, TASTE_S)
    if made / (time.monotonic() - began) * how.fill_s < how.backlog:
        return {"filled": made}
    return {"filled": made + top_up(peer, how.backlog - made, 2 * how.fill_s)}


def backlog(peer: Peer, folder: Path, how: Options) -> Found:
    """Drain with very many waiting: the first `jobs` of them."""
    return {"backlog": drained(peer, folder, how.jobs, how.cap_s)["drain"]}


def pickup(peer: Peer, folder: Path, how: Options) -> Found:
    """Milliseconds from a submission here to the start of the job in an idle consumer."""
    with consumer(peer, folder, "pickup") as running:
        found = []
        for number in range(-5, how.pickups):  # the first few do not count
            time.sleep(0.02 + 0.017 * (number % 3))  # not in step with whoever polls
            peer.submit(payload(number, at=time.monotonic()))
            took = float(running.hear("pickup"))
            if number >= 0:
                found.append(took)
    return {"pickup": found}


def rest(peer: Peer, folder: Path, how: Options) -> Found:
    """Per cent of a core that consumer, children and server use while nothing happens."""
    with consumer(peer, folder, "pickup") as running:
        peer.submit(payload(0, at=time.monotonic()))
        running.hear("pickup")
        time.sleep(2.0)
        return {"idle_cpu": idle.cpu(running.process.pid, peer.companions(), how.idle_s)}


def crash(peer: Peer, folder: Path, how: Options) -> Found:
    """Kill the consumer while 4 jobs of 5 s run and 100 wait; start another; see what comes back."""
    first = Consumer(peer, folder, "sleep")
    first.hear("ready")
    for number in range(WORKERS):
        peer.submit(payload(number, sleep=5.0))
    for _ in range(WORKERS):
        first.hear("started")
    for number in range(WORKERS, WORKERS + 100):
        peer.submit(payload(number))
    first.kill()
    began = time.monotonic()
    second = Consumer(peer, folder, "sleep")
    done: set[int] = set()
    again: dict[int, float] = {}

    def listen() -> None:
        for word, rest_ in second.lines():
            if word == "started":
                again.setdefault(int(rest_), time.monotonic() - began)
            elif word == "done":
                done.add(int(rest_))

    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    while time.monotonic() - began < how.crash_s and len(done) < WORKERS + 100:
        time.sleep(0.05)
    second.kill()
    back = [again[number] for number in range(WORKERS) if number in again]
    return {"lost": WORKERS + 100 - len(done), "back_s": max(back, default=-1.0)}


NAMES: dict[str, Callable[[Peer, Path, Options], Found]] = {
    "drain": drain, "batch": batch, "fill": fill, "backlog": backlog, "pickup": pickup, "rest": rest, "crash": crash,
}  # fmt: skip


def run(key: str, name: str, folder: Path, how: Options) -> Found:
    """Start a fresh process for one measurement, and wait for what it found.

    Raises:
        RuntimeError: it failed; the message is the end of what it said.
    """
    return finish(start(key, name, folder, how))


def start(key: str, name: str, folder: Path, how: Options) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.trial", key, name, str(folder), json.dumps(asdict(how))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> Found:
    try:
        out, said = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.communicate(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()  # the consumer ends when its stdin does
            process.communicate()
        raise RuntimeError(f"it had not ended after {LIMIT_S:.0f} s") from None
    if process.returncode:
        raise RuntimeError("\n".join(said.strip().splitlines()[-3:]))
    found: Found = json.loads(out.splitlines()[-1])
    return found


def main() -> None:
    from benchmarks import own

    key, name, folder, options = sys.argv[1:5]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("it was stopped"))  # so that consumers and servers end too
    peer = peers.everything()[key]
    peer.open(Path(folder))
    try:
        found = {**NAMES, **own.NAMES}[name](peer, Path(folder), Options(**json.loads(options)))
    finally:
        peer.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
