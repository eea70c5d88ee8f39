"""The ground of every state machine of a ledger: one of its own for each run, at a time that stands still."""

import tempfile
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine

from jobdesk.ledger.database import Ledger
from tests.support.clock import FakeClock


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.ledger = Ledger(Path(self.folder.name) / "jobdesk.db", self.clock, synchronous=lambda: "off")

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()
