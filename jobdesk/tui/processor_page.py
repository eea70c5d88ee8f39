"""A job type as text: what it does, what it takes, where it runs. Pure functions."""

import inspect
from collections.abc import Iterator
from typing import Any

from jobdesk.core.durations import short
from jobdesk.core.parameters import parameters
from jobdesk.core.processor import Processor
from jobdesk.plugins import Broken, Source
from jobdesk.sections import Config
from jobdesk.tui.format import Spans, fit, wrap
from jobdesk.tui.job_pages import fields, heading


def processor_page(kind: Processor, source: Source, config: Config, width: int) -> list[Spans]:
    """Its documentation, how it runs, and its parameters."""
    lines: list[Spans] = [((line, "text"),) for line in wrap(inspect.getdoc(kind.function) or "", width)]
    lines.append(())
    own, defaults = config.types.get(kind.type), config.defaults
    said = {
        "queue": (own and own.queue) or kind.queue,
        "timeout": short(_first(own and own.timeout, kind.timeout_s, defaults.timeout)),
        "retries": str(_first(own and own.retries, kind.retries, defaults.retries)),
        "runs in": "a child process" if kind.isolation == "process" else "a thread of the consumer",
        "service": kind.service or "",
        "from": source.file or source.module,
    }
    for label, value in said.items():
        if value:
            lines.extend(fields(label, value, width))
    return [*lines, *_parameters(kind, width)]


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _parameters(kind: Processor, width: int) -> Iterator[Spans]:
    yield ()
    yield heading("Parameters")
    try:
        found = list(parameters(kind.schema()))
    except Exception as error:  # annotations are a plug-in's own and may be wrong
        for line in wrap(f"They cannot be described: {type(error).__name__}: {error}", width):
            yield ((line, "bad"),)
        return
    if not found:
        yield (("It takes none.", "muted"),)
    column = min(20, max((len(one.name) for one in found), default=0) + 2)
    for one in found:
        needed = one.default == "required"
        what = one.kind if needed or one.default == "null" else f"{one.kind}, {one.default} if not given"
        first, *rest = wrap(what + (", required" if needed else ""), max(16, width - column))
        yield ((fit(one.name, column), "strong" if needed else "title"), (first, "text"))
        yield from (((" " * column + line, "text"),) for line in rest)
        yield from (((" " * column + line, "muted"),) for line in wrap(one.about, max(16, width - column)) if line)


def broken_page(one: Broken, width: int) -> list[Spans]:
    """Why a plug-in is not there."""
    lines: list[Spans] = [heading("This plug-in does not load"), ()]
    lines.extend(fields("from", one.name, width))
    lines.append(())
    lines.extend(((line, "bad"),) for line in wrap(one.error, width))
    if one.traceback:
        lines.append(())
        lines.extend(((line, "muted"),) for line in wrap(one.traceback, width))
    return lines
