"""What ended from one instant to another, folded into rollups or not yet."""

import pytest

from jobdesk.core.clock import iso
from jobdesk.core.job import JobError
from jobdesk.ledger import folding, moves
from jobdesk.ledger.database import Ledger
from jobdesk.monitoring.metrics import between
from tests.support.clock import FakeClock
from tests.support.factory import claim, submit

HOUR = 3600.0


@pytest.mark.parametrize("folded", [False, True])
def test_a_past_window_has_its_own_ends_and_no_others(ledger: Ledger, clock: FakeClock, folded: bool) -> None:
    start = clock.now() // 86400 * 86400 + 86400
    for at, fails in ((-1, False), (10, False), (2 * HOUR, False), (2 * HOUR + 5, True), (24 * HOUR, False)):
        clock.advance(start + at - 2 - clock.now())
        submit(ledger, max_attempts=1)
        job = claim(ledger)
        clock.advance(2)
        with ledger.write() as tx:
            if fails:
                moves.fail(tx, job, JobError("Boom", "boom"), None)
            else:
                moves.complete(tx, job, None)
    if folded:
        folding.fold(ledger, 1000)
    found = between(ledger, start, start + 24 * HOUR)
    assert (found["window"]["completed"], found["window"]["failed"], found["errors"]) == (2, 1, {"Boom": 1})
    assert found["averageProcessingTime"] == 2000
    assert found["throughput"] == [
        {"at": iso(start), "completed": 1, "failed": 0},
        {"at": iso(start + 2 * HOUR), "completed": 1, "failed": 1},
    ]
