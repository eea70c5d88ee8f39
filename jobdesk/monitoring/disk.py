"""How full a disk is, and when that is a problem."""

import os
from dataclasses import dataclass
from pathlib import Path

from jobdesk.core.durations import size

LOW_BYTES = 1_000_000_000
LOW_SHARE = 0.05
"""Less free than both of these is low …"""
FULL_BYTES = 100_000_000
"""… and less than this is as good as full."""
FEW_FILES = 100
"""A disk on which not even so many more can be made is full, whatever room it has."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Space on the disk of a folder, in bytes."""

    total: int
    free: int
    files: int | None = None
    """How many more can be made on it; None where nothing but room limits that."""

    @property
    def full(self) -> bool:
        return self.free < FULL_BYTES or self._has_no_names

    @property
    def _has_no_names(self) -> bool:
        return self.files is not None and self.files < FEW_FILES

    @property
    def low(self) -> bool:
        return self.full or (self.free < LOW_BYTES and self.free < LOW_SHARE * self.total)

    def __str__(self) -> str:
        free = f"{size(self.free)} of {size(self.total)} are free"
        return f"{free}, and no more than {self.files} files can be made" if self._has_no_names else free


def disk_of(folder: Path) -> Disk:
    """Space where `folder` lies.

    Raises:
        OSError: it does not exist or cannot be asked.
    """
    found = os.statvfs(folder)
    return Disk(
        found.f_blocks * found.f_frsize,
        found.f_bavail * found.f_frsize,
        found.f_favail if found.f_files else None,
    )
