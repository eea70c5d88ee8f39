"""Who is measured when: round after round, in each all queues in turn, so that a noisy machine harms all alike."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import trial
from benchmarks.goals import OURS
from benchmarks.peers import Peer
from benchmarks.results import Results
from benchmarks.trial import Options

OWN_ROUND = [
    ("jobdesk-normal", "drain", ""),
    ("jobdesk-full", "drain", ""),
    (OURS, "threads", ""),
    ("jobdesk-process", "process", ""),
    (OURS, "bytes", ""),
    (OURS, "finished", "finished"),
    (OURS, "paused", OURS),
]
"""Queue, measurement, and the filled folder that it begins with."""


class Rounds:
    """One run of everything. Folders are fresh for each measurement and gone after it."""

    def __init__(self, peers: Mapping[str, Peer], how: Options, folder: Path, say: Callable[[str], None]) -> None:
        self._peers = peers
        self._how = how
        self._root = folder
        self._say = say
        self._filled: dict[str, Path] = {}
        self.results = Results()

    def go(self, rounds: int, crash: bool) -> Results:
        self._prepare()
        for number in range(1, rounds + 1):
            for key, name, start in self._order(number):
                self._say(f"round {number} of {rounds}: {key}, {name}")
                self._measure(key, name, start)
        self._say("idle consumers, all at once")
        own = [(OURS, "rest20")] if OURS in self._peers else []
        self._together([*((key, "rest") for key in self._peers), *own])
        if crash:
            self._say(f"kill -9, all at once, up to {self._how.crash_s:.0f} s")
            self._together([(key, "crash") for key in self._peers])
        return self.results

    def _prepare(self) -> None:
        """Fill the folders that are copied later."""
        for key, peer in self._peers.items():
            if (peer.family or key) not in self._filled:
                self._fill(peer.family or key, key, "fill")
        if OURS in self._peers:
            self._fill("finished", OURS, "fill-finished")

    def _fill(self, name: str, key: str, trial_name: str) -> None:
        self._say(f"{key}, {trial_name}")
        folder = self._folder()
        try:
            found = trial.run(key, trial_name, folder, self._how)
        except RuntimeError as error:
            self.results.notes.append(f"{key}: {trial_name} failed: {error}")
            return
        if float(str(found.get("filled", self._how.backlog))) < self._how.backlog:
            self.results.notes.append(f"{key}: no drain with many waiting: to submit them took too long.")
            shutil.rmtree(folder)
            return
        self._filled[name] = folder

    def _order(self, number: int) -> Sequence[tuple[str, str, str]]:
        """All measurements of a round. Every round begins with another queue."""
        keys = list(self._peers)
        keys = keys[number % len(keys) :] + keys[: number % len(keys)]
        order = [(key, name, "") for name in ("drain", "batch", "pickup") for key in keys]
        order += [(key, "backlog", self._peers[key].family or key) for key in keys]
        order = [one for one in order if one[1] != "batch" or self._peers[one[0]].batches]
        return order + (OWN_ROUND if OURS in self._peers else [])

    def _measure(self, key: str, name: str, start: str) -> None:
        if start and start not in self._filled:
            return
        folder = self._folder()
        if start:
            ignored = shutil.ignore_patterns("*.sock", "*.wake", "consumer.log")
            shutil.copytree(self._filled[start], folder, ignore=ignored, dirs_exist_ok=True)
        self._store(key, name, trial.start(key, name, folder, self._how))
        shutil.rmtree(folder, ignore_errors=True)

    def _together(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Measurements that leave the machine idle, all at once."""
        folders = [self._folder() for _ in wanted]
        running = [
            trial.start(key, name, folder, self._how) for (key, name), folder in zip(wanted, folders, strict=True)
        ]
        for (key, name), process in zip(wanted, running, strict=True):
            self._store(key, name, process)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _store(self, key: str, name: str, process: "subprocess.Popen[str]") -> None:
        try:
            found = trial.finish(process)
        except RuntimeError as error:
            self.results.notes.append(f"{key}: {name} failed: {error}")
            return
        self.results.add(OURS if key == "jobdesk-process" else key, found)

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._root, prefix=""))
