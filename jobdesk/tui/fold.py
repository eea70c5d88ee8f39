"""JSON values as a tree that folds. Pure functions from a value and what is folded to entries of a list."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from jobdesk.core.job import FINAL, State
from jobdesk.core.redaction import shown
from jobdesk.tui.format import Spans, clean, count_of, wrap
from jobdesk.tui.glyphs import Glyphs
from jobdesk.tui.story import Story

_MOST = 5_000
"""Entries that are shown; $PAGER shows the rest."""
_WIDE = 30
"""Items with which a list below the first level begins folded."""
_LONGEST = 4_000
"""Letters of a text that are shown."""
_LEAST = 16
"""Cells of a value beside its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a list that the cursor goes through, of a line or several."""

    key: str
    lines: tuple[Spans, ...]
    folds: bool = False
    job: str | None = None
    """The job that it stands for."""
    name: str = ""
    """What it is called where it stands, like payload.sizes.0; "" if it holds no value."""
    value: Any = None


def data_page(story: Story, toggled: Collection[str], width: int, glyphs: Glyphs) -> list[Entry]:
    """Payload and result.

    Args:
        toggled: keys of entries that are folded, or unfolded, other than they begin.
    """
    job = story.job
    entries = list(_node("payload", "payload", "Payload", shown(job.data), 0, toggled, width, glyphs))
    entries.append(Entry("", ((),)))
    if job.state is State.COMPLETED or job.result is not None:
        entries += _node("result", "result", "Result", shown(job.result, names=False), 0, toggled, width, glyphs)
    else:
        none = "None: it has not completed." if job.state in FINAL else "None yet: it has not completed."
        entries.append(Entry("result", ((("  Result", "title"),), ((f"  {none}", "muted"),))))
    if len(entries) > _MOST:
        left = f"{count_of(len(entries) - _MOST, 'line')} more: press P to see all"
        entries = [*entries[:_MOST], Entry("more", (((left, "muted"),),))]
    return entries


def _node(
    key: str, place: str, name: str, value: Any, depth: int, toggled: Collection[str], width: int, glyphs: Glyphs
) -> Iterator[Entry]:
    children = list(_children(value))
    lead = "  " * depth
    if not children:
        yield Entry(key, tuple(_leaf(f"{lead}  {clean(name)} ", value, width)), name=place, value=value)
        return
    folded = (key in toggled) != (depth > 1 and len(children) > _WIDE)
    sign = glyphs.folded if folded else glyphs.unfolded
    what = count_of(len(children), "item") if isinstance(value, list) else count_of(len(children), "key")
    yield Entry(
        key,
        (((f"{lead}{sign} ", "accent"), (clean(name), "title"), (f"  {what}" if folded or depth else "", "faint")),),
        folds=True,
        name=place,
        value=value,
    )
    if not folded:
        for child, (label, one) in enumerate(children):
            yield from _node(f"{key}/{child}", f"{place}.{clean(label)}", label, one, depth + 1, toggled, width, glyphs)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), one) for key, one in value.items())
    elif isinstance(value, list):
        yield from ((str(at), one) for at, one in enumerate(value))


def _leaf(head: str, value: Any, width: int) -> Iterator[Spans]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    tone = "text" if isinstance(value, str) else "accent"
    if isinstance(value, str) and len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}{count_of(len(text) - _LONGEST, ' more letter')}"
    if value == "":
        text, tone = '""', "muted"
    lead = cell_len(head)
    if lead + _LEAST > width:  # a long name has its value below
        yield from (((part, "title"),) for part in wrap(head, width))
        lead = len(head) - len(head.lstrip()) + 2
        head = " " * lead
    for at, part in enumerate(wrap(text, max(_LEAST, width - lead))):
        yield ((head if at == 0 else " " * lead, "title"), (part, tone))
