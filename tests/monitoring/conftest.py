"""Fixtures of the monitoring's tests."""

from tests.crash.conftest import small_disk

__all__ = ["small_disk"]
