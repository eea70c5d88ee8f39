"""watchdog's ears by themselves: what they tell, and what they must not take for silence."""

import ctypes
import os
import threading
from pathlib import Path

from jobdesk.folders.hearing import Ear, Listener
from jobdesk.folders.observing import Observed
from jobdesk.folders.rules import FolderRule

LIMIT_S = 60.0


def test_a_folder_that_may_not_be_read_is_not_taken_for_one_where_nothing_happens(ear: Ear, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    found: list[str] = []

    def as_nobody() -> None:
        ctypes.CDLL(None).setfsuid(65534)  # of this thread alone
        try:
            ear.add(os.fsencode(locked), Heard())
        except PermissionError:
            found.append("refused")

    thread = threading.Thread(target=as_nobody)
    thread.start()
    thread.join(LIMIT_S)
    assert found == ["refused"]


class Heard:
    """What an ear said."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.paths: list[tuple[bytes, bool]] = []

    def told(self, path: bytes, *, must_scan: bool) -> None:
        with self._changed:
            self.paths.append((path, must_scan))
            self._changed.notify_all()

    def lost(self) -> None:
        raise AssertionError

    broke_off = lost

    def wait(self, path: Path, *, must_scan: bool = False) -> None:
        with self._changed:
            wanted = (os.fsencode(path), must_scan)
            assert self._changed.wait_for(lambda: wanted in self.paths, LIMIT_S), (wanted, self.paths)


def test_the_observer_of_other_systems_hears_the_same(tmp_path: Path) -> None:
    observed, outer, inner = Observed(), Heard(), Heard()
    observed.start()
    try:
        (tmp_path / "in").mkdir()
        watch = observed.listen(os.fsencode(tmp_path), outer)
        assert observed.listen(os.fsencode(tmp_path / "in"), outer) == watch
        observed.listen(os.fsencode(tmp_path / "in"), inner)
        (tmp_path / "in/a.jpg").write_bytes(b"a")
        for one in (outer, inner):
            one.wait(tmp_path / "in/a.jpg")
        observed.leave(watch, inner)
        (tmp_path / "in/sub").mkdir()
        outer.wait(tmp_path / "in/sub", must_scan=True)
        assert (os.fsencode(tmp_path / "in/sub"), True) not in inner.paths
        assert observed.is_alive()
        observed.leave(watch, outer)
        assert observed.listen(os.fsencode(tmp_path), outer) != watch
        (tmp_path / "b.jpg").write_bytes(b"b")
        outer.wait(tmp_path / "b.jpg")
        for emitter in observed._observer.emitters:
            emitter.stop()
            emitter.join(LIMIT_S)
        assert not observed.is_alive() and observed._observer.is_alive()
    finally:
        observed.stop()
        observed.join(LIMIT_S)


def test_what_happens_in_jobdesks_own_corners_wakes_nobody(ear: Ear, tmp_path: Path) -> None:
    woken: list[int] = []
    listener = Listener(ear, FolderRule(path=tmp_path, pipeline="UPLOAD"), lambda: woken.append(1))
    root = os.fsencode(tmp_path)
    listener.begin_scan(root)
    for corner in (b".jobdesk", b"_done", b"_rejected"):
        listener.told(root + b"/" + corner, must_scan=True)
        listener.told(root + b"/" + corner + b"/2026-01-01/a.jpg", must_scan=False)
    assert (woken, listener.must_scan, listener.hints()) == ([], False, set())
    listener.told(root + b"/in/_done.jpg", must_scan=False)
    listener.told(root + b"/in", must_scan=True)
    assert (len(woken), listener.must_scan, listener.hints()) == (2, True, {b"in/_done.jpg"})
