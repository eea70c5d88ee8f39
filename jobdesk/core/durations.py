"""Durations and sizes as people write them: "500ms", "5s", "2m", "1h", "7d"; "100MB"."""

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
LONGEST_S = 100 * 365.25 * 86400
"""No duration may be longer: beyond it lie dates that cannot be written."""
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")


def seconds(text: str | float) -> float:
    """Read a duration: a number is seconds, text is one or more of 500ms 5s 2m 1h 7d 1w.

    Raises:
        ValueError: the text is not a duration; the message says what is.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _sane(float(text), text)
    total, at, raw = 0.0, 0, str(text).strip()
    if re.fullmatch(r"\d+(\.\d+)?", raw):
        return _sane(float(raw), text)
    while at < len(raw) and (part := _PART.match(raw, at)):
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    if not raw or at < len(raw):
        raise ValueError(f"'{text}' is not a duration: write it like 500ms, 5s, 2m, 1h or 7d")
    return _sane(total, text)


def _sane(value: float, text: str | float) -> float:
    if not 0 <= value <= LONGEST_S:
        raise ValueError(f"{text} is no duration that jobdesk can keep: from 0 to 100 years")
    return value


def bytes_(text: str | int) -> int:
    """Read a size: a number is bytes, text is like 512KB, 100MB, 2GB, 64MiB.

    Raises:
        ValueError: the text is not a size.
    """
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]i?)?B?", str(text).strip(), re.I)) is None:
        raise ValueError(f"'{text}' is not a size: write it like 512KB, 100MB or 2GB")
    return int(float(found[1]) * _BYTES[(found[2] or "").upper() + "B"])


def short(duration_s: float | None) -> str:
    """Write a duration for a person in at most six characters: 85ms, 1.2s, 42s, 3m, 2h05, 9d."""
    if duration_s is None:
        return "–"
    value = max(0.0, duration_s)
    if value < 0.9995:
        return f"{value * 1000:.0f}ms"
    if value < 9.95:
        return f"{value:.1f}s"
    if value < 99.5:
        return f"{value:.0f}s"
    if value < 5970:
        return f"{value / 60:.0f}m"
    if value < 86400:
        return f"{int(value // 3600)}h{int(value % 3600 // 60):02d}"
    return f"{value / 86400:.0f}d"


def size(count: int | None) -> str:
    """Write a size for a person: 512 B, 41 kB, 1.3 MB, 2.0 GB."""
    if count is None:
        return "–"
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 999_500_000 else f"{count / 1e9:.1f} GB"
