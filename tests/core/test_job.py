"""States, moves, priorities and the JSON shape of a job."""

import pytest

from jobdesk.core.job import FINAL, IN_FLIGHT, Job, JobError, Progress, State, priority
from jobdesk.core.moves import MOVES

CONTRACT = {
    "blocked": "pending cancelled",
    "scheduled": "pending cancelled expired",
    "pending": "processing cancelled expired",
    "processing": "completed retrying failed cancelled pending scheduled",
    "retrying": "pending cancelled expired",
    "completed": "pending",
    "failed": "pending",
    "cancelled": "pending",
    "expired": "pending",
}

KEYS = """id type queue state priority user data result error attempt max_attempts progress unique after flow schedule
source created_at run_at started_at finished_at expires_at queue_ms processing_ms total_ms cpu_ms max_rss_bytes
worker artifacts"""


def test_the_table_of_moves_is_that_of_the_contract() -> None:
    assert {start.value: set(ends) for start, ends in MOVES.items()} == {
        start: set(ends.split()) for start, ends in CONTRACT.items()
    }
    assert set(State) == FINAL | IN_FLIGHT and not FINAL & IN_FLIGHT


@pytest.mark.parametrize(
    ("text", "value"), [("urgent", 100), ("High", 75), ("normal", 50), ("low", 25), ("0", 0), (100, 100)]
)
def test_priorities_are_words_or_numbers(text: str | int, value: int) -> None:
    assert priority(text) == value


@pytest.mark.parametrize("text", ["", "top", "101", -1, "5.5"])
def test_what_is_no_priority_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="urgent, high, normal, low"):
        priority(text)


def test_a_job_as_json_has_the_keys_of_the_contract() -> None:
    job = Job(
        1, "job_1", "t", "q", State.FAILED, 50, {"a": 1}, 1_800_000_000.0, 1_800_000_000.0, started_at=1_800_000_001.0,
        ready_at=1_800_000_000.25, finished_at=1_800_000_003.5, progress=Progress(1, 3), error=JobError("E", "m"),
    )  # fmt: skip
    shape = job.to_json()
    assert set(KEYS.split()) <= set(shape)
    assert (shape["queue_ms"], shape["processing_ms"], shape["total_ms"]) == (750, 2500, 3500)
    assert shape["created_at"] == "2027-01-15T08:00:00.000Z"
    assert shape["progress"] == {"done": 1, "total": 3, "percent": 33.3, "message": None}
    assert set(shape["error"]) == {"type", "message", "traceback", "fingerprint", "retryable"}
