"""How full a disk is, and when that is a problem."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.durations import size

LOW_BYTES = 1_000_000_000
LOW_SHARE = 0.05
"""Less free than both of these is low …"""
FULL_BYTES = 100_000_000
"""… and less than this is as good as full."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Space on the disk of a folder, in bytes."""

    total: int
    free: int

    @property
    def full(self) -> bool:
        return self.free < FULL_BYTES

    @property
    def low(self) -> bool:
        return self.full or (self.free < LOW_BYTES and self.free < LOW_SHARE * self.total)

    def __str__(self) -> str:
        return f"{size(self.free)} of {size(self.total)} are free"


def disk_of(folder: Path) -> Disk:
    """Space where `folder` lies.

    Raises:
        OSError: it does not exist or cannot be asked.
    """
    usage = shutil.disk_usage(folder)
    return Disk(usage.total, usage.free)
