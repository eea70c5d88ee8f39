"""Keeps every drop folder: runs each when it is due or something was heard, and takes up those that come and go.

One thread keeps the time of all folders and sleeps until the first is due; a few others run them, so that a dead
network share holds up nobody else. At rest none of them wakes but for the folders' own rescans.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobdesk.core.clock import Clock
from jobdesk.core.service import Service
from jobdesk.folders.folder import DropFolder
from jobdesk.folders.hearing import Ear
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import dropped
from jobdesk.ledger.database import Ledger

RUNNERS = 3
"""Folders at work at once."""
STUCK_S = 3.0
"""A folder at work for longer does not count among those: whatever holds it holds up no other."""
RUNNERS_MOST = 32
FOLLOW_S = 10.0
_NEVER = float("inf")


@dataclass(slots=True, eq=False)
class _Kept:
    """A folder and when it is to run."""

    folder: DropFolder
    due: float = 0.0
    running_since: float | None = None
    poked: bool = False
    """Something was heard since its run began."""
    gone: threading.Event = field(default_factory=threading.Event)


class Keeper(Service):
    """The service of all drop folders.

    Args:
        rules: the folders that are wanted now, by path; asked whenever something may have changed.
        make: a folder for a rule; it is given what to call when it wants to run, and this.
        settings: the settings that hold: another object when they have changed.
    """

    name = "folders"

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        rules: Callable[[], Mapping[str, FolderRule]],
        make: "Callable[[FolderRule, Callable[[], None], Keeper], DropFolder]",
        settings: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(clock)
        self._ledger = ledger
        self._rules = rules
        self._make = make
        self._settings = settings
        self._seen_settings: object = self
        self._generation: int | None = None
        self._taken_up = False
        """Whether the folders that are wanted are kept: until then nobody knows that no file is on its way."""
        self.ear = Ear()
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._work: queue.SimpleQueue[_Kept | None] = queue.SimpleQueue()
        self._runners: list[threading.Thread] = []
        self._changes = 0
        self._version = 0
        self._follower = _Follower(self)

    def changes(self) -> int:
        """A number that rises when the ledger has changed; any thread may ask."""
        return self._changes

    @property
    def folders(self) -> list[DropFolder]:
        """Those that are kept now."""
        return [one.folder for one in list(self._kept.values())]

    # ── keeping time ──

    def run_once(self) -> float:
        """Take up what is wanted, hand out what is due; how many seconds until the next is."""
        now, version = self.clock.monotonic(), self._ledger.version()
        if version != self._version:  # only one connection can tell
            self._version, self._changes = version, self._changes + 1
        self._follow()
        with self._lock:
            running = [one for one in self._kept.values() if one.running_since is not None]
            stuck = sum(now - (one.running_since or now) > STUCK_S for one in running)
            room = RUNNERS + stuck - len(running)
            due = sorted((one for one in self._kept.values() if one.running_since is None), key=lambda one: one.due)
            begun = [one for one in due[: max(0, room)] if one.due <= now]
            for one in begun:
                one.running_since, one.poked = now, False
            crowd = min(RUNNERS_MOST, len(running) + len(begun))
            waiting = [one.due for one in due if one not in begun]
        for one in begun:
            self._work.put(one)
        while len(self._runners) < crowd:
            self._hire()
        soonest = min(waiting, default=_NEVER)
        if len(begun) == max(0, room) and soonest <= now:
            soonest = now + STUCK_S  # nobody is free: who ends wakes us
        return max(0.0, min(soonest, now + FOLLOW_S) - now)

    def poke(self, one: _Kept) -> None:
        """Run it as soon as can be."""
        with self._lock:
            one.poked, one.due = True, 0.0
        self._wake.set()

    def must_follow(self) -> bool:
        """Whether other folders are wanted than before, or something is wanted of them; one look into the ledger."""
        return (dropped.generation(self._ledger), self._settings()) != (self._generation, self._seen_settings)

    def _follow(self) -> None:
        """Take up new folders and let go of those that are not wanted."""
        generation, settings = dropped.generation(self._ledger), self._settings()
        if generation == self._generation and settings is self._seen_settings:
            return
        first = self._generation is None
        self._generation, self._seen_settings = generation, settings
        try:
            wanted = dict(self._rules())
        except Exception:  # what held before still does
            logging.getLogger("jobdesk").exception("the drop folders cannot be followed")
            self._taken_up = True
            return
        self._bring_to_an_end(wanted)
        if first:
            self._forget_former(wanted)
        for path, one in list(self._kept.items()):
            if path in wanted and one.folder.rule == wanted[path] and not one.folder.retired:
                self.poke(one)  # perhaps a scan is wanted
            elif path in wanted:
                self._let_go(one, None)
            else:
                self._retire(one)
        for path, rule in wanted.items():
            if path not in self._kept:
                self._take_up(rule)
        for path, one in self._kept.items():
            others = [other.folder for name, other in self._kept.items() if name != path]
            one.folder.door.apart = frozenset(root for other in others for root in other.roots)
        self._taken_up = True

    def _bring_to_an_end(self, wanted: Mapping[str, FolderRule]) -> None:
        """What is at work of folders that were removed, while nobody watched or before a job was tried again."""
        for path, kept in dropped.with_open_files(self._ledger).items():
            if path not in wanted and path not in self._kept:
                rule = FolderRule(path=Path(path), pipeline="", source="keep" if kept else "archive")
                self._retire(self._take_up(rule))

    def _forget_former(self, wanted: Mapping[str, FolderRule]) -> None:
        """Folders that were removed while nobody watched, and have nothing at work."""
        known = wanted.keys() | self._kept.keys()
        if former := [path for path in dropped.reported(self._ledger) if path not in known]:
            with self._ledger.write() as tx:
                for path in former:
                    dropped.forget(tx, path)

    def _take_up(self, rule: FolderRule) -> _Kept:
        poked: list[_Kept] = []
        folder = self._make(rule, lambda: self.poke(poked[0]), self)
        one = _Kept(folder)
        poked.append(one)
        self._kept[str(rule.path)] = one
        return one

    def _retire(self, one: _Kept) -> None:
        """It takes nothing in any more; when its last file has ended it is forgotten."""
        one.folder.retired = True
        self.poke(one)

    def _let_go(self, one: _Kept, message: str | None) -> None:
        """Stop a folder once its run has ended."""
        with self._lock:
            del self._kept[str(one.folder.rule.path)]
            one.folder.stopping.set()
            running = one.running_since is not None
        if running:
            self.clock.wait(one.gone, 10.0)
        one.folder.stop(message)

    # ── running ──

    def _hire(self) -> None:
        name = f"jobdesk-folders-{len(self._runners) + 1}"
        runner = threading.Thread(target=self._run, name=name, daemon=True)
        self._runners.append(runner)
        runner.start()

    def _run(self) -> None:
        while (one := self._work.get()) is not None:
            wait_s = 5.0
            try:
                wait_s = one.folder.run_once()
                if one.folder.retired and not one.folder.has_open_files:
                    self._forget(one)
            except Exception:
                logging.getLogger("jobdesk").exception("%s failed; it is tried again", one.folder.rule.path)
            with self._lock:
                one.due = 0.0 if one.poked else self.clock.monotonic() + wait_s
                one.running_since = None
                if one.folder.stopping.is_set():
                    one.gone.set()
            self._wake.set()
        self._ledger.close()

    def _forget(self, one: _Kept) -> None:
        path = str(one.folder.rule.path)
        with self._lock:
            if self._kept.get(path) is one:
                del self._kept[path]
        one.folder.stop(None)
        with self._ledger.write() as tx:
            dropped.forget(tx, path)
        if one.folder.has_open_files:  # a job was tried again in this instant: it is taken up once more
            self._generation = None

    # ── beginning and end ──

    def start(self) -> None:
        """Begin; a second call does nothing."""
        super().start()
        self._follower.start()

    def wake(self) -> None:
        """The ledger has changed: perhaps another folder is wanted, or a scan. Files make themselves heard."""
        self._follower.wake()

    def look(self) -> None:
        """Take up what is wanted now."""
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether a file is on its way in or out of any folder."""
        return not self._taken_up or any(folder.busy for folder in self.folders)

    def stop(self, timeout_s: float = 10.0) -> None:
        """End, and let another process be the master of each folder."""
        for folder in self.folders:
            folder.stopping.set()
        self._follower.stop(timeout_s)
        super().stop(timeout_s)
        for _ in self._runners:
            self._work.put(None)
        for runner in self._runners:
            runner.join(timeout_s)
        for one in list(self._kept.values()):
            if one.running_since is None:
                one.folder.stop()
        self._kept.clear()
        self._runners.clear()
        self._generation, self._taken_up = None, False
        self.ear.close()


class _Follower(Service):
    """Sees whether something is wanted of folders when the ledger has changed, which may be with every job."""

    name = "folders-wanted"
    interval_s = FOLLOW_S
    rest_s = 0.25

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper.clock)
        self._keeper = keeper

    def run_once(self) -> float | None:
        if self._keeper.must_follow():
            self._keeper.look()
        return None
