"""Finding processors: the entry-point group `jobdesk.processors`, and HOME/processors/*.py.

The built-in ones come in by the same door. A module that fails to import is a row with its error.
"""

import importlib
import sys
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

from jobdesk.core.errors import UnknownType
from jobdesk.core.loading import declared, load_file
from jobdesk.core.nearest import nearest
from jobdesk.core.processor import Processor

GROUP = "jobdesk.processors"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a processor lives, as a child process needs it: a module to import, or a file to load."""

    module: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that did not import, or that claims a job type which another has."""

    name: str
    error: str
    traceback: str = ""


@dataclass(slots=True)
class Registry:
    """Every job type that this desk can run."""

    seen: tuple[tuple[str, int], ...] = ()
    """Files of the user's when they were read, with their times of change (nanoseconds)."""
    processors: dict[str, Processor] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def get(self, type_: str) -> Processor:
        """The processor of a job type.

        Raises:
            UnknownType: none has it; the message names the nearest, or the plug-in that failed to load.
        """
        found = self.processors.get(type_)
        if found is None:
            hint = nearest(type_, self.processors)
            if not hint and self.broken:
                hint = f"; {len(self.broken)} plug-in(s) failed to load: see `jobdesk processors list`"
            raise UnknownType(f"no processor has the job type '{type_}'{hint}")
        return found

    def add(self, module: ModuleType, source: Source) -> None:
        """Take in every processor that the module itself defines."""
        for found in declared(module):
            other = self.sources.get(found.type)
            if other is not None:
                self.broken.append(
                    Broken(
                        source.file or source.module,
                        f"job type '{found.type}' is taken by {other.file or other.module}",
                    )
                )
                continue
            try:
                get_type_hints(found.function)
            except Exception as error:  # an annotation may be any expression
                name = f"{source.file or source.module}, {found.type}"
                self.broken.append(Broken(name, f"an annotation cannot be resolved: {error}", traceback.format_exc()))
                continue
            self.processors[found.type] = found
            self.sources[found.type] = source


def files_in(folder: Path) -> tuple[tuple[str, int], ...]:
    """The user's processor files with their times of change: another answer means that some should be read anew."""
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in folder.glob("*.py")))


def load(folder: Path) -> Registry:
    """Find every processor: entry points first, then the Python files in `folder`, by name."""
    registry = Registry(seen=files_in(folder))
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            with redirect_stdout(sys.stderr):  # what a module prints must not get into the output of a command
                module = importlib.import_module(point.module)
        except BaseException as error:  # a plug-in may even call exit(); it must not take the desk down
            _report(registry, f"{point.name} ({point.module})", error)
            continue
        registry.add(module, Source(point.module))
    for file in sorted(folder.glob("*.py")):
        try:
            with redirect_stdout(sys.stderr):
                module = load_file(file)
        except BaseException as error:
            _report(registry, str(file), error)
            continue
        registry.add(module, Source(module.__name__, str(file)))
    return registry


def _report(registry: Registry, name: str, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        raise error
    registry.broken.append(Broken(name, f"{type(error).__name__}: {error}", traceback.format_exc()))
