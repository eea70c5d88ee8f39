"""Fixtures for processors: a bench with the upload flow on it."""

from pathlib import Path

import pytest

from jobdesk_processors import command, demo, images, processing, scan, system, upload
from tests.support.context import Bench, bench


@pytest.fixture(autouse=True)
def no_scanner_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clamd that happens to run here must not decide how a test goes."""
    monkeypatch.setattr("jobdesk_processors.clamd.USUAL_SOCKETS", ())
    monkeypatch.setattr("jobdesk_processors.yara.installed", lambda: False)


@pytest.fixture
def desk(tmp_path: Path) -> Bench:
    return bench(tmp_path / "home", upload, images, processing, scan, system, command, demo)
