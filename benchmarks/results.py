"""What was found: for each queue and measurement the values of all rounds."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | str | list[float]


@dataclass
class Results:
    """Values by queue and measurement, and in words what could not be measured."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, key: str, found: Mapping[str, Value]) -> None:
        """What one trial found; samples of several rounds are pooled."""
        mine = self.values.setdefault(key, {})
        for name, value in found.items():
            assert not isinstance(value, str)
            mine.setdefault(name, []).extend(value if isinstance(value, list) else [value])

    def median(self, key: str, name: str) -> float | None:
        """None: not measured."""
        found = self.values.get(key, {}).get(name)
        return statistics.median(found) if found else None

    def percentile(self, key: str, name: str, part: float) -> float | None:
        """The smallest value that `part` (0 to 1) of all samples do not exceed."""
        found = sorted(self.values.get(key, {}).get(name, []))
        return found[max(0, math.ceil(part * len(found)) - 1)] if found else None

    def spread(self, name: str) -> float | None:
        """How far the rounds of one queue differ at most: (largest - smallest) / median."""
        wide = [
            (max(found[name]) - min(found[name])) / statistics.median(found[name])
            for found in self.values.values()
            if len(found.get(name, [])) > 1
        ]
        return max(wide, default=None)
