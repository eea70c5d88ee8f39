"""A drop folder under a clock of the test's own: what a person does to it, and what becomes of each file."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobdesk.core.errors import JobdeskError
from jobdesk.core.outcome import failure
from jobdesk.folders.folder import DropFolder
from jobdesk.folders.hearing import Ear
from jobdesk.folders.rules import FolderRule
from jobdesk.ledger import claiming, folders, moves, queues, storing
from jobdesk.ledger.database import Ledger, Tx
from jobdesk.ledger.follow import flow_of
from tests.support.clock import FakeClock
from tests.support.factory import new_job


class Desk:
    """A folder with its service, and workers that the test plays itself."""

    def __init__(self, ledger: Ledger, clock: FakeClock, home: Path) -> None:
        self.ledger = ledger
        self.clock = clock
        self.home = home
        self.inbox = home / "inbox"
        self.inbox.mkdir()
        self.read: list[bytes] = []
        """What each completed job found in its file."""
        self.rule: dict[str, Any] = {"path": self.inbox, "pipeline": "UPLOAD"}
        self.service = self.open()

    def open(self, **over: Any) -> DropFolder:
        """A service as a fresh process would make it."""
        self.rule |= over
        if hasattr(self, "service"):
            self.service.stop()
        self.service = self.make()
        return self.service

    def make(self, ear: Ear | None = None) -> DropFolder:
        return DropFolder(
            self.ledger,
            self.clock,
            FolderRule(**self.rule),
            self.submit,
            quarantine=self.home / "quarantine",
            corner=self.home / "corner",
            ear=ear,
        )

    def submit(
        self, tx: Tx, *, type: str, payloads: Sequence[Mapping[str, Any]], source: str
    ) -> list[tuple[str, str] | JobdeskError]:
        queues.ensure(tx, "default")
        made = [new_job(tx.now, type=type, data=data, source=source) for data in payloads]
        return [(job, flow_of(job)) for job in storing.submit(tx, made)]

    def look(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the service do what is due, as often as it asks to go on at once."""
        self.clock.advance(seconds)
        for _ in range(50):
            if self.service.run_once() > 0:
                return

    def settle(self) -> None:
        """Long enough for whatever rests to be taken."""
        self.look()
        self.look(2)
        self.look(2)

    def work(self, error: str | None = None, errors: Mapping[str, str] | None = None) -> int:
        """Run every job there is: each reads its file, and fails as told (all, or by name). How many."""
        done = 0
        while True:
            with self.ledger.write() as tx:
                job = claiming.claim(tx, "con_test/1")
            if job is None:
                return done
            done += 1
            content = Path(job.data["source"]).read_bytes()
            wrong = (errors or {}).get(job.data["name"], error)
            with self.ledger.write() as tx:
                if wrong is None:
                    self.read.append(content)
                    moves.complete(tx, job, None)
                else:
                    moves.fail(tx, job, failure(wrong, f"it is {wrong}", retryable=False), None)

    def run(self, error: str | None = None) -> None:
        """Settle, work, and let the service end what is over."""
        self.settle()
        self.work(error)
        self.look(1)

    def files(self, state: str | None = None) -> list[dict[str, Any]]:
        return folders.files(self.ledger, state=state)

    def states(self) -> dict[str, str]:
        return {file["path"]: file["state"] for file in self.files()}

    def status(self) -> dict[str, Any]:
        return folders.statuses(self.ledger)[str(self.inbox)]

    def left(self) -> list[str]:
        """What lies in the folder itself."""
        own = (".jobdesk", "_done", "_rejected")
        return sorted(
            str(path.relative_to(self.inbox))
            for path in self.inbox.rglob("*")
            if path.relative_to(self.inbox).parts[0] not in own and not path.is_dir()
        )

    def claims(self) -> list[Path]:
        return list((self.inbox / ".jobdesk/claimed").iterdir())

    def ended(self, corner: str) -> dict[str, bytes]:
        """Files in `_done` or `_rejected`: name without the id -> content."""
        return {
            path.name[32:]: path.read_bytes()
            for path in (self.inbox / corner).glob("*/*")
            if not path.name.endswith(".error.json")
        }

    def sidecars(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.inbox / "_rejected").glob("*/*.error.json"))]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that begins now: the kernel's times of the files, which are real, must fit."""
    return FakeClock(time.time())


@pytest.fixture
def desk(ledger: Ledger, clock: FakeClock, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(ledger, clock, tmp_path)
    yield made
    made.service.stop()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()
