"""The wait after each failed attempt."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdesk.core.retry import Backoff, RetryPolicy


@pytest.mark.parametrize(
    ("backoff", "waits"), [("fixed", [5, 5, 5, 5]), ("linear", [5, 10, 15, 20]), ("exponential", [5, 10, 20, 30])]
)
def test_each_backoff_grows_its_way_up_to_the_most(backoff: Backoff, waits: list[float]) -> None:
    policy = RetryPolicy(backoff=backoff)
    assert [policy.after(attempt) for attempt in (1, 2, 3, 4)] == waits


def test_jitter_takes_up_to_its_share_off_and_other_jobs_get_other_waits() -> None:
    policy = RetryPolicy(backoff="fixed", jitter=0.4)
    assert [policy.after(1, chance) for chance in (0.0, 0.5, 1.0)] == [5.0, 4.0, 3.0]
    assert len({policy.after(1) for _ in range(50)}) > 1


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_no_wait_is_negative_or_longer_than_the_most(attempt: int, jitter: float, chance: float) -> None:
    assert 0 <= RetryPolicy(jitter=jitter).after(attempt, chance) <= 30


@pytest.mark.parametrize(("delay_s", "wait_s"), [(1, 30), (0, 0)])
def test_a_factor_beyond_all_numbers_waits_the_most(delay_s: float, wait_s: float) -> None:
    assert RetryPolicy(delay_s, factor=1e200).after(100) == wait_s


def test_a_policy_reads_back_from_the_ledger() -> None:
    policy = RetryPolicy(1, "linear", 3, 60, 0.5)
    assert RetryPolicy.from_text(policy.text) == policy
    assert RetryPolicy.from_text(json.dumps(asdict(policy))) == policy  # as older ledgers have it
