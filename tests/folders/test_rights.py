"""What a consumer that is not root may not read or move: said with the reason, counted as it is listed, tried again."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobdesk.folders import notices
from jobdesk.folders.hearing import Ear
from jobdesk.ledger.database import Ledger
from tests.folders.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.lowly import UID, as_nobody, public_folder

Told = dict[str, Any]
_ = notices  # what is imported late cannot be by a user who may not read where it lies


def told(desk: Desk) -> Told:
    """What the commands would show."""
    status = desk.status()
    files = {file["path"]: (file["state"], file["reason"]) for file in desk.files()}
    counts = {key: status[key] for key in ("settling", "waiting", "ignored")}
    return {"files": files, "mode": status["mode"], "message": status["message"], "busy": desk.service.busy} | counts


def seen_by_nobody(prepare: Callable[[Path], None], work: Callable[[Desk], list[Told]]) -> Any:
    """Let an ordinary user's desk work on a folder of theirs, in which root has prepared what is not."""

    def as_user() -> list[Told]:
        clock, ear = FakeClock(time.time()), Ear()
        ledger = Ledger(home / "jobdesk.db", clock)
        desk = Desk(ledger, clock, home)
        desk.service.stop()
        desk.inbox = desk.rule["path"] = inbox
        desk.service = desk.make(ear)
        try:
            return work(desk)
        finally:
            desk.service.stop()
            ear.close()
            ledger.close()

    with public_folder() as folder:
        home, inbox = folder / "home", folder / "home/shared"
        home.mkdir()
        inbox.mkdir()
        prepare(inbox)
        for one in (home, inbox):
            os.chown(one, UID, UID)
        return as_nobody(as_user)


def test_unreadable_files_and_folders_are_said_and_taken_when_they_can_be_read() -> None:
    def prepare(inbox: Path) -> None:
        for name, mode in (("closed", 0o000), ("nameless", 0o300), ("shut", 0o600)):
            (inbox / name).mkdir()
            (inbox / name / "a.txt").write_text(f"in {name}")
            (inbox / name).chmod(mode)
            os.chown(inbox / name, UID, UID)
        (inbox / "file.txt").write_text("alone")
        (inbox / "file.txt").chmod(0)
        os.chown(inbox / "file.txt", UID, UID)

    def work(desk: Desk) -> list[Told]:
        desk.settle()
        before = told(desk)
        for name in ("closed", "nameless", "shut", "file.txt"):
            (desk.inbox / name).chmod(0o700)
        desk.look(30)
        desk.look(10)  # whether root writes them nobody can say: they rest for longer
        desk.run()
        return [before, told(desk) | {"read": sorted(one.decode() for one in desk.read)}]

    before, after = seen_by_nobody(prepare, work)
    denied = ["ignored", "unreadable: Permission denied"]
    assert before["files"] == {"closed": denied, "nameless": denied, "shut/a.txt": denied, "file.txt": denied}
    assert (before["settling"], before["waiting"], before["ignored"]) == (0, 0, 4)
    assert (before["mode"], before["message"]) == ("watch", None)  # all else is heard
    assert not before["busy"]  # a consumer that drains does not wait for what only others can mend
    assert after["read"] == ["alone", "in closed", "in nameless", "in shut"] and after["ignored"] == 0


def test_a_file_that_may_be_read_but_not_moved_is_left_and_said() -> None:
    def prepare(inbox: Path) -> None:
        (inbox / "of-root").mkdir()
        (inbox / "sticky").mkdir()
        (inbox / "sticky").chmod(0o1777)
        for name in ("of-root", "sticky"):
            (inbox / name / "a.txt").write_text(f"in {name}")

    def work(desk: Desk) -> list[Told]:
        desk.look(20)
        for _ in range(8):
            desk.look(2)
        kept = (desk.inbox / "of-root/a.txt").read_text()
        return [told(desk) | {"kept": kept, "claims": len(desk.claims()), "slips": len(os.listdir(slips(desk)))}]

    (seen,) = seen_by_nobody(prepare, work)
    assert seen["files"] == {
        "of-root/a.txt": ["ignored", "cannot-claim: Permission denied"],
        "sticky/a.txt": ["ignored", "cannot-claim: Operation not permitted"],
    }
    assert (seen["settling"], seen["ignored"], seen["busy"]) == (0, 2, False)
    assert (seen["kept"], seen["claims"], seen["slips"]) == ("in of-root", 0, 0)


def slips(desk: Desk) -> Path:
    return desk.inbox / ".jobdesk/slips"
