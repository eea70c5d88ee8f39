"""What one check of the health finds, and what all of them are given to look at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobdesk.ledger import reads
from jobdesk.ledger.database import Ledger
from jobdesk.ledger.workers import Consumer

Status = Literal["healthy", "warning", "error"]
RANK: dict[Status, int] = {"healthy": 0, "warning": 1, "error": 2}


@dataclass
class Check:
    """One thing looked at: `says` is why it is not healthy, `details` are its numbers."""

    name: str
    status: Status = "healthy"
    says: list[tuple[Status, str]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def worse(self, status: Status, why: str) -> None:
        """Note a problem; the worst one gives the status."""
        self.says.append((status, why))
        if RANK[status] > RANK[self.status]:
            self.status = status


@dataclass(frozen=True, slots=True)
class Scene:
    """What checks look at, read once for all of them.

    Args:
        queues: None if the database cannot be read.
        consumers: those whose process is alive.
        lost: those whose process has died, and whose jobs nobody has given back yet.
        places: folders in which work is stored, besides the home.
        settings: what is wrong with them; None if nothing is.
    """

    ledger: Ledger
    home: Path
    now: float
    queues: Sequence[reads.Queue] | None
    consumers: Sequence[Consumer] = ()
    lost: Sequence[Consumer] = ()
    places: Sequence[Path] = ()
    settings: str | None = None
