"""How a write reaches the disk."""

from pathlib import Path

import pytest

from jobdesk.core.clock import SystemClock
from jobdesk.ledger.database import Ledger

NORMAL, FULL = 1, 2
"""What SQLite answers; in its documentation: https://sqlite.org/pragma.html#pragma_synchronous."""


@pytest.mark.parametrize(("setting", "durable", "else_"), [("full", FULL, NORMAL), ("normal", NORMAL, NORMAL)])
def test_only_what_must_outlive_a_loss_of_power_waits_for_the_disk(
    tmp_path: Path, setting: str, durable: int, else_: int
) -> None:
    ledger = Ledger(tmp_path / "jobdesk.db", SystemClock(), synchronous=lambda: setting)
    for is_durable, expected in ((True, durable), (False, else_), (False, else_), (True, durable)):
        with ledger.write(durable=is_durable) as tx:
            assert tx.row("PRAGMA synchronous") == (expected,)
    ledger.close()
