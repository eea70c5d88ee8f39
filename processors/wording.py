"""Numbers as people read them in reports: 12,340 · 1.2 M · 3.4 % · 250 ms · 1.5 s · 2.1 GB · +12 %."""

from collections.abc import Sequence

from .report_model import Figure, Number

NONE = "–"
_SPACE = "\N{NO-BREAK SPACE}"
_TIMES = (("h", 3.6e6), ("min", 6e4), ("s", 1e3))
_BYTES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def number(value: Number, unit: str = "") -> str:
    """In full, as a figure or a cell says it."""
    if value is None:
        return NONE
    if unit == "ms":
        for name, size in _TIMES:
            if abs(value) >= size:
                return f"{value / size:,.1f}{_SPACE}{name}"
        return f"{value:,.0f}{_SPACE}ms"
    if unit == "bytes":
        for name, size in _BYTES:
            if abs(value) >= size:
                return f"{value / size:,.1f}{_SPACE}{name}"
    return _plain(value) + (f"{_SPACE}{unit}" if unit else "")


def short(value: float, unit: str = "") -> str:
    """As short as the axis of a chart wants it."""
    if unit in ("ms", "bytes"):
        return number(value, unit).replace(".0", "")
    for name, size in (("bn", 1e9), ("M", 1e6), ("k", 1e4)):
        if abs(value) >= size:
            shown = value / (1e3 if name == "k" else size)
            return f"{shown:,.1f}".removesuffix(".0") + f"{_SPACE}{name}" + (f"{_SPACE}%" if unit == "%" else "")
    return _plain(value) + (f"{_SPACE}%" if unit == "%" else "")


def _plain(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return (f"{value:,.2f}" if abs(value) < 100_000 else f"{value:,.1f}").replace("-", "−")


def column(values: Sequence[str | Number], unit: str = "") -> list[str]:
    """The cells of a column: its numbers all with decimals, or all without."""
    plain = [one for one in values if isinstance(one, int | float)]
    if unit in ("ms", "bytes") or all(float(one).is_integer() for one in plain):
        return [one if isinstance(one, str) else number(one, unit) for one in values]
    after = f"{_SPACE}{unit}" if unit else ""
    return [
        one if isinstance(one, str) else NONE if one is None else f"{one:,.2f}".replace("-", "−") + after
        for one in values
    ]


def change(figure: Figure) -> tuple[str, str]:
    """How a figure moved, in words, and whether that is good, bad or neither (""). Percents move by points."""
    value, before = figure.value, figure.before
    if value is None or before is None:
        return "", ""
    if figure.unit == "%":
        moved = round(value - before, 2)
        said = f"{_signed(moved)} points" if moved else "unchanged"
    elif not before:
        moved = value
        said = "none before" if value else "none, as before"
    else:
        moved = round(100 * (value - before) / abs(before), 1)
        said = f"{'+' if moved > 0 else '−'}{abs(moved):,.1f}{_SPACE}%" if moved else "unchanged"
        if abs(moved) >= 1000:
            said = f"{_plain(round(value / before, 1))} times as much"
    if not moved or not figure.better or not before:
        return said, ""
    return said, "good" if (moved > 0) == (figure.better == "more") else "bad"


def _signed(moved: float) -> str:
    return ("+" if moved > 0 else "−") + _plain(abs(moved))


def shortened(text: str, most: int) -> str:
    """At most so many characters; what is longer loses its middle."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    left = (most - 1) // 2
    return f"{text[:left].rstrip()}…{text[len(text) - (most - 1 - left) :].lstrip()}"
